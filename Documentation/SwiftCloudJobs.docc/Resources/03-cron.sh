swift run shop cron explain "0 7 * * MON-FRI" --zone Europe/Berlin
