"use strict";
(function () {
  const byId = (id) => document.getElementById(id);
  const dialog = byId("large");
  const picture = dialog.querySelector(".picture");
  const caption = byId("large-caption");
  const figures = Array.from(document.querySelectorAll("figure"));
  let current = null;

  const shown = () => figures.filter((f) => !f.hidden && f.querySelector(".tile"));

  function show(figure) {
    current = figure;
    picture.replaceChildren(
      ...Array.from(figure.querySelectorAll(".tile img"), (image) => image.cloneNode())
    );
    const parts = figure.querySelector("figcaption").cloneNode(true).children;
    caption.replaceChildren(...parts);
    if (!dialog.open) dialog.showModal();
  }

  function move(step) {
    const list = shown();
    if (list.length) show(list[(list.indexOf(current) + step + list.length) % list.length]);
  }

  function setMasks(visible) {
    byId("masks").checked = visible;
    document.body.classList.toggle("no-masks", !visible);
  }

  function filter() {
    const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const figure of figures) {
      const text = figure.textContent.toLowerCase();
      figure.hidden = !words.every((word) => text.includes(word));
    }
    const left = figures.filter((figure) => !figure.hidden).length;
    byId("count").textContent = words.length ? left + " / " + figures.length : "";
  }

  for (const figure of figures) {
    const tile = figure.querySelector(".tile");
    if (tile) tile.addEventListener("click", () => show(figure));
  }
  byId("previous").addEventListener("click", () => move(-1));
  byId("next").addEventListener("click", () => move(1));
  byId("close").addEventListener("click", () => dialog.close());
  picture.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    if (current) current.querySelector(".tile").focus();
  });
  byId("masks").addEventListener("change", (event) => setMasks(event.target.checked));
  byId("size").addEventListener("input", (event) => {
    document.documentElement.style.setProperty("--side", event.target.value + "px");
  });
  byId("filter").addEventListener("input", filter);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.type === "search") return;
    if (event.key === "m" || event.key === "M") setMasks(!byId("masks").checked);
    else if (event.key === "/" && !dialog.open) byId("filter").focus();
    else if (dialog.open && event.key === "ArrowLeft") move(-1);
    else if (dialog.open && event.key === "ArrowRight") move(1);
    else return;
    event.preventDefault();
  });
  document.querySelector(".controls").hidden = false;
})();
