"use strict";
// What every page has: settings, theme, language, copy buttons.
const sceneset = (function () {
  const settings = JSON.parse(document.getElementById("settings").textContent);

  function store(name, value) {
    try {
      localStorage.setItem("sceneset-" + name, value);
    } catch (error) {
      // storage may be off: the choice lasts for this page only
    }
  }

  function text(name, ...values) {
    return values.reduce(
      (found, value, place) => found.replace("{" + place + "}", value),
      settings.texts[name]
    );
  }

  const theme = document.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const isDark =
      (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    root.dataset.theme = isDark ? "light" : "dark";
    store("theme", root.dataset.theme);
  });

  const language = document.getElementById("language");
  language.addEventListener("click", () => {
    store("language", language.lang);
    language.hash = location.hash; // the filters are the same in both languages
  });

  async function copy(button) {
    const code = button.closest(".command").querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch (error) {
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand("copy");
    }
    button.textContent = text("copied");
    setTimeout(() => { button.textContent = text("copy"); }, 2000);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) copy(button);
  });

  // Data files are classic scripts, because pages that are opened from a file can't read others.
  const loaded = new Map();
  const waiting = new Map();
  function load(path, name) {
    if (!loaded.has(name)) {
      loaded.set(name, new Promise((resolve, reject) => {
        waiting.set(name, resolve);
        const script = document.createElement("script");
        script.src = settings.root + path;
        script.onerror = () => { loaded.delete(name); reject(new Error(path)); };
        document.head.append(script);
      }));
    }
    return loaded.get(name);
  }
  function deliver(kind) {
    return (name, values) => {
      const resolve = waiting.get(kind + " " + name);
      if (resolve) resolve(values);
    };
  }

  return {
    settings, text, load,
    subset: deliver("subset"), sprite: deliver("sprite"), history: deliver("history"),
  };
})();
