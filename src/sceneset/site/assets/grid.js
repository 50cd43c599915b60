"use strict";
// The samples of a page: filters that live in the address, tiles with outlines, commands.
sceneset.grid = (function () {
  const { settings, text, load } = sceneset;
  const grid = settings.grid;
  const byId = (id) => document.getElementById(id);
  const KEYS = ["q", "subset", "scene", "persons", "phase", "finding", "sort"];
  const PHASES = { t: "train", v: "val", e: "test" };
  const PERSONS = ["unknown", "single", "multi"];
  const STEP = 60; // tiles that are added at a time
  const COLUMNS = 8; // of a sprite
  const samples = [];
  let shown = [];
  let drawn = 0;
  let isComplete = false;
  let failed = false;

  // ---- data

  function addSubset(name, values) {
    const stems = values.stems ? values.stems.split("\n") : [];
    const members = grid.members && memberSet(grid.members[name] || []);
    const scenes = values.groups.map((group) => group.scenes.map(([scene, persons]) => [values.scenes[scene], persons]));
    let sprite = 0, first = 0;
    stems.forEach((stem, place) => {
      while (place - first >= values.counts[sprite]) first += values.counts[sprite++];
      if (members && !members.has(place)) return;
      const pairs = scenes[values.group[place]];
      if (grid.scene && !pairs.some(([scene]) => scene === grid.scene)) return;
      const source = values.sources[values.source[place]];
      samples.push({
        subset: name, stem, place, pairs, source, suffix: values.suffix,
        phase: PHASES[values.phases[place]], persons: values.groups[values.group[place]].persons,
        width: values.width[place], height: values.height[place], share: values.share[place],
        boxes: values.boxes[place], findings: values.findings[place] || [],
        sprite: values.sprites[sprite], cell: place - first,
        image: values.images ? values.images.slice(32 * place, 32 * place + 32) : "",
        id: name + "/" + PHASES[values.phases[place]] + "/" + stem,
      });
    });
  }

  function memberSet(runs) {
    const places = new Set();
    for (let i = 0; i < runs.length; i += 2)
      for (let n = 0; n < runs[i + 1]; n++) places.add(runs[i] + n);
    return places;
  }

  function scenesOf(sample) {
    return [...new Set(sample.pairs.map(([scene]) => scene))];
  }

  function nameOf(scene) {
    return grid.names[scene] || scene;
  }

  function personsOf(sample) {
    const scene = grid.scene || state().scene;
    const values = scene ? sample.pairs.filter(([key]) => key === scene).map(([, p]) => p) : sample.persons;
    return [...new Set(values)];
  }

  // ---- filters

  function state() {
    const values = new URLSearchParams(location.hash.slice(1));
    return Object.fromEntries([...KEYS, "sample"].map((key) => [key, values.get(key) || ""]));
  }

  function setState(changes, isStep) {
    const values = { ...state(), ...changes };
    const kept = Object.entries(values).filter(([, value]) => value);
    const hash = new URLSearchParams(kept).toString().replaceAll("%2F", "/");
    const address = hash ? "#" + hash : location.pathname + location.search;
    history[isStep ? "pushState" : "replaceState"](null, "", address);
  }

  function textOf(sample) {
    if (!sample.text) {
      const words = scenesOf(sample).map((scene) => grid.words[scene] || scene);
      sample.text = [sample.id, sample.source, ...words].join("\n").toLowerCase();
    }
    return sample.text;
  }

  const TESTS = {
    q: (sample, value) => value.toLowerCase().split(/\s+/).every((word) => textOf(sample).includes(word)),
    subset: (sample, value) => sample.subset === value,
    scene: (sample, value) => sample.pairs.some(([scene]) => scene === value),
    persons: (sample, value) => personsOf(sample).some((persons) => PERSONS[persons] === value),
    phase: (sample, value) => sample.phase === value,
    finding: (sample, value) => value === "any"
      ? sample.findings.length > 0 : sample.findings.some(([code]) => code === value),
  };
  const ORDERS = {
    share: (a, b) => a.share - b.share,
    "share-down": (a, b) => b.share - a.share,
    size: (a, b) => a.width * a.height - b.width * b.height,
    "size-down": (a, b) => b.width * b.height - a.width * a.height,
  };

  function matching(values, without) {
    const tests = Object.keys(TESTS).filter((key) => values[key] && key !== without);
    return samples.filter((sample) => tests.every((key) => TESTS[key](sample, values[key])));
  }

  // Each list offers its values with the number of samples under all other filters.
  function fillLists(values) {
    const counts = {
      subset: (sample) => [sample.subset],
      scene: scenesOf,
      persons: (sample) => personsOf(sample).map((persons) => PERSONS[persons]),
      phase: (sample) => [sample.phase],
      finding: (sample) => sample.findings.length
        ? ["any", ...new Set(sample.findings.map(([code]) => code))] : [],
    };
    const names = {
      subset: (value) => value, scene: nameOf, phase: text, persons: (value) => text(value),
      finding: (value) => (value === "any" ? text("any_finding") : value),
    };
    for (const [key, valuesOf] of Object.entries(counts)) {
      const found = new Map();
      for (const sample of matching(values, key))
        for (const value of valuesOf(sample)) if (value) found.set(value, (found.get(value) || 0) + 1);
      if (values[key] && !found.has(values[key])) found.set(values[key], 0);
      const order = key === "phase" ? Object.values(PHASES) : key === "persons" ? PERSONS : null;
      const sorted = [...found].sort((a, b) => order
        ? order.indexOf(a[0]) - order.indexOf(b[0]) : names[key](a[0]).localeCompare(names[key](b[0])));
      const list = byId(key);
      list.replaceChildren(new Option(text("all"), ""), ...sorted.map(
        ([value, count]) => new Option(names[key](value) + " (" + count.toLocaleString() + ")", value)));
      list.value = values[key];
      list.closest("label").hidden = found.size === 0
        || (key === "subset" && grid.subsets.length < 2) || (key === "scene" && Boolean(grid.scene));
    }
    const orders = [["", "by_name"], ["share", "by_share"], ["share-down", "by_share_down"],
      ["size", "by_size"], ["size-down", "by_size_down"]];
    byId("sort").replaceChildren(...orders.map(([value, name]) => new Option(text(name), value)));
    byId("sort").value = values.sort in ORDERS ? values.sort : "";
    if (document.activeElement !== byId("q")) byId("q").value = values.q;
  }

  function update() {
    const values = state();
    shown = matching(values);
    if (ORDERS[values.sort]) shown.sort(ORDERS[values.sort]);
    fillLists(values);
    const total = isComplete ? samples.length : grid.subsets.reduce((sum, one) => sum + one.count, 0);
    let status = text("count_of", shown.length.toLocaleString(), total.toLocaleString());
    if (!isComplete) status += " · " + text(failed ? "data_missing" : "loading");
    else if (!shown.length) status += " · " + text("no_sample");
    byId("count").textContent = status;
    byId("tiles").replaceChildren();
    drawn = 0;
    drawMore();
    fillCommands(values);
  }

  // ---- tiles

  function drawMore() {
    const next = shown.slice(drawn, drawn + STEP);
    byId("tiles").append(...next.map(tileOf));
    drawn += next.length;
    byId("more").hidden = drawn >= shown.length;
  }

  function tileOf(sample) {
    const tile = document.createElement("button");
    tile.type = "button";
    tile.className = "tile";
    tile.dataset.id = sample.id;
    const frame = document.createElement("span");
    frame.className = "frame";
    const caption = document.createElement("span");
    caption.className = "caption";
    caption.append(bidi(sample.phase + "/" + sample.stem));
    tile.append(frame, caption);
    if (sample.findings.length) {
      const mark = document.createElement("span");
      mark.className = "mark";
      mark.textContent = "! " + sample.findings.map(([code]) => code).join(", ");
      caption.append(mark);
    }
    tile.addEventListener("click", () => sceneset.lightbox.open(sample));
    drawPicture(frame, sample);
    return tile;
  }

  function bidi(content) {
    const part = document.createElement("bdi");
    part.textContent = content;
    return part;
  }

  async function drawPicture(frame, sample) {
    try {
      const values = await load("sprites/" + sample.sprite.slice(0, 2) + "/" + sample.sprite + ".js",
        "sprite " + sample.sprite);
      frame.append(...pictureOf(sample, values));
    } catch (error) {
      frame.textContent = text("data_missing");
    }
  }

  // The picture of a sample from its sprite, and the outline over it, in a square.
  function pictureOf(sample, values) {
    const parts = [];
    const problem = values.problems[sample.cell];
    if (values.here[sample.cell]) {
      const image = document.createElement("span");
      image.className = "image";
      const address = settings.root + "sprites/" + sample.sprite.slice(0, 2) + "/" + sample.sprite + ".webp";
      image.style.backgroundImage = "url('" + address + "')";
      image.style.backgroundSize = 100 * COLUMNS + "% " + 100 * values.rows + "%";
      const column = sample.cell % COLUMNS, row = Math.floor(sample.cell / COLUMNS);
      image.style.backgroundPosition = (100 * column) / (COLUMNS - 1) + "% "
        + (values.rows > 1 ? (100 * row) / (values.rows - 1) : 0) + "%";
      const [x, y] = margins(sample);
      image.style.clipPath = "inset(" + y + "% " + x + "%)";
      parts.push(image);
    }
    const outline = values.outlines[sample.cell];
    if (outline) parts.push(drawingOf(outline, true));
    if (problem) {
      const reason = document.createElement("span");
      reason.className = "problem";
      reason.textContent = problem[settings.language] || problem.en;
      parts.push(reason);
    }
    return parts;
  }

  // Empty parts beside and above a picture in its square, in percent.
  function margins(sample) {
    const longest = Math.max(sample.width, sample.height);
    return [50 * (1 - sample.width / longest), 50 * (1 - sample.height / longest)];
  }

  // The outline as SVG; in a square the drawing is centered as the picture is.
  function drawingOf([width, height, person, ignored, other], isSquare) {
    const SVG = "http://www.w3.org/2000/svg";
    const drawing = document.createElementNS(SVG, "svg");
    const span = Math.max(width, height);
    const box = isSquare ? [(width - span) / 2, (height - span) / 2, span, span] : [0, 0, width, height];
    drawing.setAttribute("viewBox", box.join(" "));
    drawing.setAttribute("class", "drawing");
    drawing.setAttribute("aria-hidden", "true");
    for (const [path, kind] of [[other, "other"], [ignored, "ignored"], [person, "edge"], [person, "person"]]) {
      if (!path) continue;
      const part = document.createElementNS(SVG, "path");
      part.setAttribute("d", path);
      part.setAttribute("class", kind);
      drawing.append(part);
    }
    return drawing;
  }

  // ---- commands

  function quoted(word) {
    return /^[\w.\/:@%+=,-]+$/.test(word) ? word : "'" + word.replaceAll("'", "'\\''") + "'";
  }

  function fillCommands(values) {
    const scene = grid.selection || grid.scene || values.scene;
    const subset = values.subset || (grid.subsets.length === 1 && !scene ? grid.subsets[0].name : "");
    // No command selects samples of which this is unknown.
    const persons = values.persons === "unknown" ? "" : values.persons;
    const chosen = [
      scene && quoted(scene), subset && "--subset " + quoted(subset),
      persons && "--persons " + quoted(persons), values.phase && "--phase " + quoted(values.phase),
      grid.rev && "--rev " + quoted(grid.rev), grid.repo && "--repo " + quoted(grid.repo),
    ].filter(Boolean).join(" ");
    const open = [grid.repo && JSON.stringify(grid.repo), grid.rev && "rev=" + JSON.stringify(grid.rev)].filter(Boolean);
    const query = [
      scene && JSON.stringify(scene), subset && "subsets=[" + JSON.stringify(subset) + "]",
      persons && "persons=" + JSON.stringify(persons),
      values.phase && "phases=[" + JSON.stringify(values.phase) + "]",
    ].filter(Boolean).join(", ");
    const commands = [
      ["command_pull", ("sceneset pull " + chosen).trim() + " --to DIR"],
      ["command_export", ("sceneset export coco " + chosen).trim() + " --to DIR"],
      ["command_mmseg", ("sceneset export mmseg " + chosen).trim() + " --to DIR"],
      ["command_python", "from sceneset import Registry\n\nregistry = Registry.open(" + open.join(", ")
        + ")\nfor sample in registry.lookup(" + query + "):\n    print(sample.image)"],
    ];
    const place = byId("commands");
    place.hidden = false;
    place.replaceChildren(place.firstElementChild, ...commands.map(([name, command]) => {
      const part = document.createElement("div");
      part.className = "command";
      const title = document.createElement("span");
      title.textContent = text(name);
      const pre = document.createElement("pre");
      pre.tabIndex = 0;
      const code = document.createElement("code");
      code.textContent = command;
      pre.append(code);
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = text("copy");
      part.append(title, pre, button);
      return part;
    }));
  }

  // ---- start

  for (const key of KEYS.filter((key) => key !== "q"))
    byId(key).addEventListener("change", (event) => { setState({ [key]: event.target.value }); update(); });
  let timer = 0;
  byId("q").addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => { setState({ q: event.target.value.trim() }); update(); }, 150);
  });
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("controls").addEventListener("reset", () => {
    setState(Object.fromEntries(KEYS.map((key) => [key, ""])));
    setTimeout(() => { update(); setSize(); setMasks(); });
  });
  function setSize() {
    byId("tiles").style.setProperty("--tile", byId("tile").value + "px");
  }
  function setMasks() {
    document.body.classList.toggle("no-masks", !byId("masks").checked);
  }
  byId("tile").addEventListener("input", setSize);
  byId("masks").addEventListener("change", setMasks);
  byId("more").addEventListener("click", drawMore);
  if ("IntersectionObserver" in window)
    new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting) && !byId("more").hidden) drawMore();
    }, { rootMargin: "600px" }).observe(byId("more"));
  addEventListener("hashchange", () => { update(); sceneset.lightbox.follow(); });
  addEventListener("popstate", () => { update(); sceneset.lightbox.follow(); });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT/.test(event.target.tagName)) return;
    if (event.key === "m" || event.key === "M") {
      byId("masks").checked = !byId("masks").checked;
      setMasks();
    } else if (event.key === "/" && !byId("large").open) {
      byId("q").focus();
      event.preventDefault();
    }
  });

  async function start() {
    byId("controls").hidden = false;
    // The first subset is shown as soon as it is there, the others when all are.
    for (const [place, { name }] of grid.subsets.entries()) {
      try {
        addSubset(name, await load("data/" + name + ".js", "subset " + name));
      } catch (error) {
        failed = true;
      }
      if (place === 0 && grid.subsets.length > 1) update();
    }
    isComplete = !failed;
    update();
    sceneset.lightbox.follow();
  }
  return {
    start, // called by the next script, the lightbox
    state, setState, text, nameOf, scenesOf, personsOf, bidi, drawingOf, pictureOf, PERSONS,
    shown: () => shown, find: (id) => samples.find((sample) => sample.id === id),
  };
})();
