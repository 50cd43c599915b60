"use strict";
// The live pages: search without reloading, marks, large pictures. Without it, the form works too.
(function () {
  const byId = (id) => document.getElementById(id);

  function store(name, value) {
    try {
      localStorage.setItem("sceneset-" + name, value);
    } catch (error) {
      // storage may be off or full: it lasts for this page only
    }
  }
  function stored(name) {
    try {
      return localStorage.getItem("sceneset-" + name);
    } catch (error) {
      return null;
    }
  }

  const theme = byId("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const isDark =
      (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    root.dataset.theme = isDark ? "light" : "dark";
    store("theme", root.dataset.theme);
  });
  byId("language").addEventListener("click", () => store("language", byId("language").lang));

  const form = byId("search");
  if (!form) return;
  const settings = JSON.parse(byId("settings").textContent);
  function text(name, ...values) {
    return values.reduce(
      (found, value, place) => found.replace("{" + place + "}", () => value),
      settings.texts[name]
    );
  }

  // Marks.
  const basketName = "basket " + settings.basket;
  let marked = new Set();
  function readMarks() {
    try {
      marked = new Set(JSON.parse(stored(basketName) || "[]"));
    } catch (error) {
      marked = new Set();
    }
  }
  function setMark(key, isMarked) {
    readMarks(); // another window may have changed them
    if (isMarked) marked.add(key);
    else marked.delete(key);
    store(basketName, JSON.stringify([...marked]));
    showMarks();
  }
  function showMarks() {
    for (const sample of document.querySelectorAll(".sample")) {
      const isMarked = marked.has(sample.dataset.key);
      sample.classList.toggle("marked", isMarked);
      sample.querySelector(".marker").checked = isMarked;
    }
    byId("basket-count").textContent = text("basket_count", String(marked.size));
    byId("basket").hidden = marked.size === 0;
    if (shown) byId("large-mark").checked = marked.has(shown.dataset.key);
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches(".marker")) {
      setMark(event.target.closest(".sample").dataset.key, event.target.checked);
    }
  });
  addEventListener("storage", () => { readMarks(); showMarks(); });
  byId("clear").addEventListener("click", () => {
    marked = new Set();
    store(basketName, "[]");
    showMarks();
  });

  // Files of marked samples.
  const make = byId("make");
  function showFields() {
    for (const label of make.querySelectorAll("[data-for]")) {
      label.hidden = label.dataset.for !== make.elements.kind.value;
      label.querySelector("input, select").required = !label.hidden;
    }
  }
  make.addEventListener("change", showFields);
  make.addEventListener("submit", async (event) => {
    event.preventDefault();
    const kind = make.elements.kind.value;
    const body = { samples: [...marked] };
    if (kind === "selection") body.name = make.elements.name.value;
    if (kind === "waivers") {
      body.rule = make.elements.rule.value;
      body.reason = make.elements.reason.value;
    }
    try {
      const answer = await fetch("/api/marks/" + kind, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      const found = await answer.json();
      if (!answer.ok) {
        byId("made").textContent = typeof found.detail === "string" ? found.detail : answer.statusText;
        return;
      }
      if (!found.saved) download(found.file, found.text);
      byId("made").textContent = text("saved", found.file, found.use);
    } catch (error) {
      byId("made").textContent = text("failed", String(error));
    }
  });
  function download(name, content) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: "text/plain" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // Search: the server's page is the only source of what is shown.
  let latest = 0;
  async function load(address) {
    const number = ++latest;
    byId("results").setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      return number === latest ? page : null;
    } catch (error) {
      byId("count").textContent = text("failed", String(error));
      return null;
    } finally {
      if (number === latest) byId("results").removeAttribute("aria-busy");
    }
  }
  function take(page, id) {
    const fresh = page.getElementById(id);
    if (fresh) byId(id).replaceWith(document.adoptNode(fresh));
    return Boolean(fresh);
  }
  async function show(address, isNew) {
    const page = await load(address);
    if (!page) return;
    const focused = document.activeElement;
    const choice = focused && focused.closest("#facets") && [focused.name, focused.value, focused.type];
    if (!take(page, "results")) {
      location.assign(address); // an error: its page says what it is
      return;
    }
    take(page, "facets");
    byId("language").href = page.getElementById("language").getAttribute("href");
    if (isNew) history.pushState(null, "", address);
    prepare();
    if (choice) {
      const again = [...form.elements].find(
        (one) => one.name === choice[0] && (choice[2] === "number" || one.value === choice[1])
      );
      if (again) again.focus();
    }
  }
  function addressOfForm() {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (value !== "" && !(name === "sort" && value === "name")) fields.append(name, value);
    }
    const query = fields.toString();
    return form.getAttribute("action") + (query ? "?" + query : "");
  }
  let waiting = 0;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    show(addressOfForm(), true);
  });
  form.addEventListener("change", (event) => {
    if (event.target.id === "masks") {
      document.body.classList.toggle("no-masks", !event.target.checked);
    } else if (event.target.id !== "text") {
      show(addressOfForm(), true);
    }
  });
  byId("text").addEventListener("input", (event) => {
    clearTimeout(waiting);
    if (!event.isComposing) waiting = setTimeout(() => show(addressOfForm(), true), 300);
  });
  byId("text").addEventListener("compositionend", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => show(addressOfForm(), true), 300);
  });
  addEventListener("popstate", () => location.reload());
  document.addEventListener("click", async (event) => {
    const more = event.target.closest("#more");
    if (!more) return;
    event.preventDefault();
    const page = await load(more.getAttribute("href"));
    const tiles = page && page.getElementById("tiles");
    if (!tiles) return;
    const first = tiles.firstElementChild;
    byId("tiles").append(...tiles.children);
    const next = page.getElementById("more");
    if (next) more.href = next.getAttribute("href");
    else more.parentElement.remove();
    prepare();
    if (first) first.querySelector(".tile").focus();
  });

  // Large pictures.
  const dialog = byId("large");
  let shown = null;
  function enlarge(sample) {
    if (!sample) return;
    shown = sample;
    const [photo, mask] = dialog.querySelectorAll("img");
    photo.src = sample.dataset.large;
    mask.src = sample.querySelector("img.mask").src;
    const caption = sample.querySelector(".caption").cloneNode(true);
    for (const label of caption.querySelectorAll("label")) label.remove();
    byId("large-caption").replaceChildren(...caption.childNodes);
    byId("large-mark").checked = marked.has(sample.dataset.key);
    if (!dialog.open) dialog.showModal();
    if (settings.similar) showSimilar(sample);
  }
  async function showSimilar(sample) {
    const list = byId("similar-list");
    const address = "/api/similar/" + sample.dataset.key.split("/").map(encodeURIComponent).join("/");
    byId("similar").hidden = false;
    list.replaceChildren();
    byId("similar-note").textContent = "";
    let found = [];
    let problem = "";
    try {
      const answer = await fetch(address);
      found = await answer.json();
      if (!answer.ok) problem = text("failed", found.detail || answer.statusText);
      else if (!found.length) problem = text("no_vector");
    } catch (error) {
      problem = text("failed", String(error));
    }
    if (shown !== sample) return;
    byId("similar-note").textContent = problem;
    if (problem) return;
    list.replaceChildren(...found.map(({ similarity, sample: other }) => {
      const name = other.phase + "/" + other.stem;
      const link = document.createElement("a");
      const query = new URLSearchParams({ text: name, subset: other.subset });
      link.href = settings.search + "?" + query.toString();
      link.title = text("similarity", other.subset + "/" + name, similarity.toFixed(2));
      const image = document.createElement("img");
      image.src = other.thumb;
      image.alt = link.title;
      link.append(image);
      const item = document.createElement("li");
      item.append(link);
      return item;
    }));
  }
  function step(by) {
    if (!shown) return;
    enlarge(by > 0 ? shown.nextElementSibling : shown.previousElementSibling);
  }
  document.addEventListener("click", (event) => {
    const tile = event.target.closest(".sample .tile");
    if (tile) enlarge(tile.closest(".sample"));
  });
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    if (shown) shown.querySelector(".tile").focus();
    shown = null;
  });
  byId("large-mark").addEventListener("change", (event) => setMark(shown.dataset.key, event.target.checked));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.matches("input:not([type=checkbox]):not([type=radio]), select, textarea");
    if (isTyping) return;
    const sample = shown || event.target.closest(".sample");
    if (event.key === "b" && sample) setMark(sample.dataset.key, !marked.has(sample.dataset.key));
    else if (event.key === "m") byId("masks").click();
    else if (shown && event.key === "ArrowLeft") step(-1);
    else if (shown && event.key === "ArrowRight") step(1);
  });

  function prepare() {
    for (const part of document.querySelectorAll(".scripted:not(#basket)")) part.hidden = false;
    showMarks();
  }
  readMarks();
  showFields();
  prepare();
})();
