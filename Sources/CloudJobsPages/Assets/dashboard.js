"use strict";
// Everything works without this script. It keeps the live parts of a page fresh, follows logs, and adds keys.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const stored = (name, value) => {
    try {
      if (value === undefined) return localStorage.getItem(name);
      localStorage.setItem(name, value);
    } catch { /* Storage may be off. */ }
    return null;
  };
  const theme = stored("cloud-jobs-theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  const toggleTheme = () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    stored("cloud-jobs-theme", root.dataset.theme);
  };

  // Refreshes.
  let isPaused = stored("cloud-jobs-paused") === "true";
  let isRefreshing = false;
  let failures = 0;

  const isBusy = (part) =>
    part.contains(document.activeElement) &&
    document.activeElement.matches("input:not([type=checkbox]), textarea, select");

  // What has the focus keeps it: its counterpart in the fresh part.
  const counterpart = (element, fresh) => {
    if (element.id) return document.getElementById(element.id);
    const names = ["href", "name", "value"];
    return [...fresh.querySelectorAll(element.tagName)].find((other) =>
      names.some((name) => element.hasAttribute(name))
        ? names.every((name) => other.getAttribute(name) === element.getAttribute(name))
        : other.textContent === element.textContent);
  };

  const showLive = () => {
    const button = document.getElementById("live");
    if (!button) return;
    button.setAttribute("aria-pressed", String(!isPaused));
    button.classList.toggle("failing", failures > 0);
    button.querySelector(".live-text").textContent = isPaused ? "Paused" : failures > 0 ? "Offline" : "Live";
  };

  const replace = (part, fresh) => {
    const open = new Map([...part.querySelectorAll("details[id]")].map((d) => [d.id, d.open]));
    const checked = new Set([...part.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.value));
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    part.replaceWith(fresh);
    for (const details of fresh.querySelectorAll("details[id]")) {
      if (open.has(details.id)) details.open = open.get(details.id);
    }
    for (const box of fresh.querySelectorAll("input[type=checkbox]")) if (checked.has(box.value)) box.checked = true;
    if (focused) counterpart(focused, fresh)?.focus({ preventScroll: true });
  };

  const refresh = async () => {
    if (isRefreshing || !document.querySelector("[data-live]")) return;
    isRefreshing = true;
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
      if (!response.ok) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) {
        const fresh = part.id && page.getElementById(part.id);
        if (!fresh || isBusy(part)) continue;
        const node = document.importNode(fresh, true);
        if (!part.isEqualNode(node)) replace(part, node);
      }
      failures = 0;
    } catch {
      failures += 1;
    }
    isRefreshing = false;
    showLive();
    showTimes();
  };

  // Times.
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  let skew = 0;
  const showTimes = () => {
    const made = document.querySelector("#made time");
    if (made && made.dateTime !== showTimes.made) {
      showTimes.made = made.dateTime;
      skew = Date.parse(made.dateTime) - Date.now();
    }
    const now = Date.now() + skew;
    for (const element of document.querySelectorAll("time[data-relative]")) {
      const distance = (Date.parse(element.dateTime) - now) / 1000;
      if (Number.isNaN(distance)) continue;
      const size = Math.abs(distance);
      const unit = units.find(([seconds]) => size >= seconds);
      const words = unit ? `${Math.floor(size / unit[0])} ${unit[1]}` : "";
      const text = !unit ? "now" : distance < 0 ? `${words} ago` : `in ${words}`;
      if (element.textContent !== text) element.textContent = text;
    }
  };

  // A log that grows while a run is under way; each event's data is a line of JSON: {time, level, text}.
  const follow = (list) => {
    const source = new EventSource(list.dataset.stream);
    source.addEventListener("line", (event) => {
      const line = JSON.parse(event.data);
      const item = document.createElement("li");
      item.className = line.level;
      for (const [name, text] of [["time", line.time], ["level", line.level], ["text", line.text]]) {
        const part = document.createElement("span");
        part.className = name;
        part.textContent = text;
        item.append(part, " ");
      }
      const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
      list.append(item);
      if (atEnd) list.scrollTop = list.scrollHeight;
    });
    source.addEventListener("end", () => {
      source.close();
      list.removeAttribute("data-stream");
      refresh();
    });
    addEventListener("pagehide", () => source.close());
  };

  const press = (key) => {
    if (key === "p") document.getElementById("live")?.click();
    else if (key === "r") refresh();
    else if (key === "t") toggleTheme();
    else if (key === "?") document.getElementById("keys")?.showModal();
    else if (key === "/") document.querySelector("input[type=search]")?.focus();
    else return false;
    return true;
  };
  let lastKey = "";

  addEventListener("DOMContentLoaded", () => {
    showLive();
    showTimes();
    document.getElementById("theme")?.addEventListener("click", toggleTheme);
    document.getElementById("live")?.addEventListener("click", () => {
      isPaused = !isPaused;
      stored("cloud-jobs-paused", String(isPaused));
      showLive();
      if (!isPaused) refresh();
    });
    const seconds = Number(document.body.dataset.refresh);
    if (seconds > 0) {
      setInterval(() => {
        if (!isPaused && !document.hidden) refresh();
      }, seconds * 1000);
      document.addEventListener("visibilitychange", () => {
        if (!document.hidden && !isPaused) refresh();
      });
    }
    setInterval(() => {
      if (!document.hidden) showTimes();
    }, 1000);
    for (const list of document.querySelectorAll("[data-stream]")) follow(list);
    // A step of a longer action goes on by itself.
    document.querySelector("form[data-continue]")?.requestSubmit();

    document.addEventListener("click", async (event) => {
      const button = event.target.closest("[data-copy]");
      if (button) {
        const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
        try {
          await navigator.clipboard.writeText(text);
          button.textContent = "Copied";
        } catch {
          button.textContent = "Select and copy it";
        }
      }
      const all = event.target.closest("[data-check-all]");
      if (all) {
        for (const box of document.querySelectorAll(`input[name="${all.dataset.checkAll}"]`)) box.checked = all.checked;
      }
    });
    document.addEventListener("change", (event) => {
      if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
    });
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.matches("input:not([type=checkbox]), textarea, select, dialog *")) return;
      const isAfterG = lastKey === "g";
      lastKey = event.key;
      const link = isAfterG && document.querySelector(`header [data-key="${CSS.escape(event.key)}"]`);
      if (link) link.click();
      else if (press(event.key)) event.preventDefault();
    });
  });
})();
