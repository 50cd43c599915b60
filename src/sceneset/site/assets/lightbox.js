"use strict";
// One sample large: image, overlay or mask, with its facts and its history.
sceneset.lightbox = (function () {
  const { settings, text, load, grid } = sceneset;
  const byId = (id) => document.getElementById(id);
  const dialog = byId("large");
  const picture = byId("large-picture");
  let current = null;
  let mode = "overlay";
  let opener = null;

  function open(sample) {
    opener = document.activeElement;
    grid.setState({ sample: sample.id }, true);
    show(sample);
  }

  async function show(sample) {
    current = sample;
    if (!dialog.open) dialog.showModal();
    byId("large-name").replaceChildren(grid.bidi(sample.phase + "/" + sample.stem));
    byId("large-facts").replaceChildren(...factsOf(sample));
    picture.replaceChildren();
    picture.style.setProperty("--ratio", sample.width + " / " + sample.height);
    picture.style.setProperty("--wide", sample.width);
    picture.style.setProperty("--high", sample.height);
    setMode(mode);
    if (settings.grid.history) showHistory(sample);
    let values = null;
    try {
      values = await load("sprites/" + sample.sprite.slice(0, 2) + "/" + sample.sprite + ".js",
        "sprite " + sample.sprite);
    } catch (error) {
      picture.textContent = text("data_missing");
    }
    if (!values || current !== sample) return;
    const outline = values.outlines[sample.cell];
    const parts = [];
    if (settings.grid.large && values.here[sample.cell]) {
      const image = document.createElement("img");
      image.className = "image";
      image.alt = "";
      image.src = settings.root + "large/" + sample.image.slice(0, 2) + "/" + sample.image + ".webp";
      parts.push(image);
      if (outline) parts.push(grid.drawingOf(outline, false));
      picture.className = "picture whole";
    } else {
      parts.push(...grid.pictureOf(sample, values));
      picture.className = "picture square";
    }
    const frame = document.createElement("div");
    frame.className = "frame";
    frame.append(...parts);
    picture.replaceChildren(frame);
    const problem = values.problems[sample.cell];
    if (problem && settings.grid.large) byId("large-facts").prepend(line(problem[settings.language] || problem.en, "warn"));
  }

  function line(content, kind) {
    const part = document.createElement("p");
    part.className = kind || "";
    part.append(grid.bidi(content));
    return part;
  }

  function factsOf(sample) {
    const list = document.createElement("dl");
    list.className = "facts";
    const persons = grid.personsOf(sample).map((value) => text(grid.PERSONS[value] || "unknown"));
    const facts = [
      ["subset", sample.subset], ["scene", grid.scenesOf(sample).map(grid.nameOf).join(", ")],
      ["persons", persons.join(", ")], ["size", sample.width + " x " + sample.height],
      ["share", (sample.share / 10).toFixed(1) + " %"], ["boxes", sample.boxes < 0 ? "" : sample.boxes], ["source", sample.source],
    ];
    for (const [name, value] of facts) {
      if (value === "") continue;
      const term = document.createElement("dt");
      term.textContent = text(name);
      const content = document.createElement("dd");
      content.append(grid.bidi(String(value)));
      list.append(term, content);
    }
    const findings = sample.findings.map(([code, severity, english, chinese]) =>
      line((settings.language === "zh" ? chinese : english) + " [" + code + "]", severity === "error" ? "error" : "warn"));
    return [...findings, list];
  }

  // What happened to the sample over the versions; the data is read when it is first needed.
  async function showHistory(sample) {
    let values = null;
    try {
      values = await load("data/history/" + sample.subset + ".js", "history " + sample.subset);
    } catch (error) {
      return; // the other facts are shown in any case
    }
    const facts = byId("large-facts").querySelector("dl");
    if (current !== sample || !facts) return;
    const some = values.samples[sample.phase + "/" + sample.stem] || [];
    const events = some.length && some[0][1] === "added" ? some : [[values.added, "added"], ...some];
    const term = document.createElement("dt");
    term.textContent = text("history");
    facts.append(term, ...events.map(([version, kind, name]) => eventOf(values.versions[version], kind, name)));
  }

  function eventOf(version, kind, name) {
    const content = document.createElement("dd");
    if (version) {
      const link = document.createElement("a");
      link.href = settings.root + settings.language + "/versions/" + version + ".html";
      link.textContent = version;
      content.append(link);
    } else {
      content.append(text("not_released"));
    }
    content.append(" · " + text("event_" + kind));
    if (name) content.append(" ", grid.bidi(name));
    return content;
  }

  function setMode(name) {
    mode = name;
    dialog.dataset.mode = name;
    for (const button of dialog.querySelectorAll("[data-mode]"))
      button.setAttribute("aria-pressed", String(button.dataset.mode === name));
  }

  function move(step) {
    const list = grid.shown();
    if (!list.length) return;
    const next = list[(list.indexOf(current) + step + list.length) % list.length];
    grid.setState({ sample: next.id });
    show(next);
  }

  // Show the sample that the address names, or none.
  function follow() {
    const id = grid.state().sample;
    const sample = id && grid.find(id);
    if (sample) show(sample);
    else if (dialog.open) dialog.close();
  }

  for (const button of dialog.querySelectorAll("[data-mode]"))
    button.addEventListener("click", () => setMode(button.dataset.mode));
  byId("previous").addEventListener("click", () => move(-1));
  byId("next").addEventListener("click", () => move(1));
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    current = null;
    if (grid.state().sample) grid.setState({ sample: "" });
    if (opener) opener.focus();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const modes = { 1: "image", 2: "overlay", 3: "mask" };
    if (event.key === "ArrowLeft") move(-1);
    else if (event.key === "ArrowRight") move(1);
    else if (modes[event.key]) setMode(modes[event.key]);
    else return;
    event.preventDefault();
  });

  return { open, follow };
})();
sceneset.grid.start();
