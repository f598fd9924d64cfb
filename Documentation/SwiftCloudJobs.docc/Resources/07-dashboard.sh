open http://127.0.0.1:8080/dashboard        # or xdg-open on Linux
swift run shop dashboard --port 8081
