"use strict";
// Runs before the page is drawn: the theme that was chosen before, and the reader's language.
(function () {
  function stored(name) {
    try {
      return localStorage.getItem("sceneset-" + name);
    } catch (error) {
      return null; // storage may be off
    }
  }
  const theme = stored("theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  if (document.currentScript.dataset.choose) {
    const isChinese = (stored("language") || navigator.language || "en").startsWith("zh");
    location.replace((isChinese ? "zh" : "en") + "/index.html" + location.hash);
  }
})();
