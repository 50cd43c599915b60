"use strict";
(function () {
  const byId = (id) => document.getElementById(id);
  const dialog = byId("large");
  const figures = Array.from(document.querySelectorAll("figure.change"));
  if (!dialog || !figures.length) return;
  const stage = dialog.querySelector(".stage");
  const radios = Array.from(document.querySelectorAll("input[name=view]"));
  const buttons = Array.from(dialog.querySelectorAll("[data-show]"));
  const panels = (figure) => Array.from(figure.querySelectorAll("button.panel"));
  let current = null;
  let view = "";
  let zoomed = false;

  function show(figure, wanted) {
    current = figure;
    const list = panels(figure);
    const panel = list.find((one) => one.dataset.view === wanted) || list[list.length - 1];
    view = panel.dataset.view;
    const svg = panel.querySelector("svg").cloneNode(true);
    for (const image of svg.querySelectorAll("[id]")) image.removeAttribute("id");
    const box = (figure.dataset.box || "").split(" ").map(Number);
    if (zoomed && box.length === 4) svg.setAttribute("viewBox", around(svg, box));
    stage.replaceChildren(svg);
    byId("large-caption").replaceChildren(...figure.querySelector("figcaption").cloneNode(true).children);
    for (const button of buttons) {
      button.hidden = !list.some((one) => one.dataset.view === button.dataset.show);
      button.setAttribute("aria-pressed", String(button.dataset.show === view));
    }
    byId("views").hidden = list.length < 2;
    byId("flip").hidden = !flipped();
    byId("zoom").hidden = box.length !== 4;
    byId("zoom").setAttribute("aria-pressed", String(zoomed));
    if (!dialog.open) dialog.showModal();
  }

  function around(svg, box) {
    const size = svg.getAttribute("viewBox").split(" ").slice(2).map(Number);
    const sides = [0, 1].map((axis) => Math.max(box[axis + 2] * 1.5, 0.12) * size[axis]);
    const starts = [0, 1].map((axis) => (box[axis] + box[axis + 2] / 2) * size[axis] - sides[axis] / 2);
    return [...starts, ...sides].join(" ");
  }

  function flipped() {
    const names = panels(current).map((one) => one.dataset.view).filter((name) => name !== "change");
    return names.length > 1 ? names[(names.indexOf(view) + 1) % names.length] : "";
  }

  function flip() {
    if (flipped()) show(current, flipped());
  }

  function zoom() {
    zoomed = !zoomed;
    show(current, view);
  }

  function move(step) {
    const list = figures.filter((figure) => !figure.hidden && panels(figure).length);
    const next = list[(list.indexOf(current) + step + list.length) % list.length];
    if (next) show(next, view);
  }

  function choose(name) {
    for (const radio of radios) radio.checked = radio.value === name;
    for (const list of document.querySelectorAll(".changes .pairs")) list.classList.toggle("one", name !== "all");
    for (const panel of document.querySelectorAll(".changes .several .panel")) {
      const views = Array.from(panel.parentElement.children, (one) => one.dataset.view);
      const wanted = views.includes(name) ? name : views[views.length - 1];
      panel.hidden = name !== "all" && panel.dataset.view !== wanted;
    }
  }

  function setMasks(visible) {
    byId("masks").checked = visible;
    document.body.classList.toggle("no-masks", !visible);
  }

  function filter() {
    const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const figure of figures) {
      const text = figure.querySelector("figcaption").textContent.toLowerCase();
      figure.hidden = !words.every((word) => text.includes(word));
    }
    const left = figures.filter((figure) => !figure.hidden).length;
    byId("count").textContent = words.length ? left + " / " + figures.length : "";
  }

  for (const figure of figures) {
    for (const panel of panels(figure)) {
      panel.addEventListener("click", () => show(figure, panel.dataset.view));
    }
  }
  for (const button of buttons) {
    button.addEventListener("click", () => show(current, button.dataset.show));
  }
  for (const radio of radios) radio.addEventListener("change", () => choose(radio.value));
  byId("previous").addEventListener("click", () => move(-1));
  byId("next").addEventListener("click", () => move(1));
  byId("flip").addEventListener("click", flip);
  byId("zoom").addEventListener("click", zoom);
  byId("close").addEventListener("click", () => dialog.close());
  stage.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    const panel = current && panels(current).find((one) => one.dataset.view === view && !one.hidden);
    if (panel) panel.focus();
  });
  byId("masks").addEventListener("change", (event) => setMasks(event.target.checked));
  byId("filter").addEventListener("input", filter);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.type === "search") return;
    const key = event.key.toLowerCase();
    const name = { 0: "all", 1: "before", 2: "after", 3: "change" }[key];
    if (key === "m") setMasks(!byId("masks").checked);
    else if (dialog.open && key === "arrowleft") move(-1);
    else if (dialog.open && key === "arrowright") move(1);
    else if (dialog.open && key === "b") flip();
    else if (dialog.open && key === "z") zoom();
    else if (dialog.open && name && name !== "all") show(current, name);
    else if (!dialog.open && name) choose(name);
    else if (!dialog.open && key === "/") byId("filter").focus();
    else return;
    event.preventDefault();
  });
  document.querySelector(".controls").hidden = false;
})();
