// Threshold with its losses, search, and what is said of the selection.
const STEPS = 200;

// A place on the slider leaves so many of the strongest edges: evenly in the logarithm, all at 0.
const edgesAt = (place, all) => place <= 0 ? all : place >= STEPS ? 0 : Math.round(Math.exp(Math.log(all + 1) * (1 - place / STEPS)) - 1);
const placeOf = (edges, all) => STEPS * (1 - Math.log(edges + 1) / Math.log(all + 1));

function threshold(net, state, act) {
  const slider = document.getElementById("threshold"), said = document.getElementById("cut"), all = net.weight.length;
  const { cuts, loss } = about, chart = document.getElementById("losses");
  if (cuts.length) {
    const values = cuts.map(cut => Math.log(Math.max(cut.loss, 1e-12))), low = Math.min(...values), high = Math.max(...values);
    const x = cut => 4 + 232 * placeOf(cut.edges, all) / STEPS, y = i => 68 - 52 * (values[i] - low) / (high - low || 1);
    const path = cuts.map((cut, i) => `${i ? "L" : "M"}${x(cut).toFixed(1)} ${y(i).toFixed(1)}`).join(" ");
    const [least, most] = [Math.min(...cuts.map(cut => cut.loss)), Math.max(...cuts.map(cut => cut.loss))];
    chart.innerHTML = `<path d="${path}"/>${cuts.map((cut, i) => `<circle cx="${x(cut)}" cy="${y(i)}" r="2"/>`).join("")}<line class="here" y1="8" y2="74"/><text x="4" y="9">${escaped(loss)}, logarithmic</text><text x="236" y="${(y(values.length - 1) < 40 ? 32 : 9)}" text-anchor="end">${short(most)}</text><text x="4" y="82">${short(least)}</text>`;
    chart.setAttribute("aria-label", `The ${loss} against the number of edges kept: ${short(cuts[0].loss)} with all ${all}, ${short(cuts.at(-1).loss)} with none.`);
    chart.removeAttribute("hidden");
  }
  const set = () => {
    state.shown = edgesAt(Number(slider.value), all);
    const least = state.shown ? `, of at least ${short(Math.abs(net.weight[state.shown - 1]))}` : "";
    let text = `${counted(state.shown, "edge")} of ${all.toLocaleString("en")}${least}`;
    if (cuts.length) {
      const near = cuts.reduce((best, cut) => Math.abs(placeOf(cut.edges, all) - slider.value) < Math.abs(placeOf(best.edges, all) - slider.value) ? cut : best);
      text += `; ${loss} ${short(near.loss)} with ${near.edges === state.shown ? "these" : `the strongest ${near.edges.toLocaleString("en")}`}, nothing trained afterwards`;
      const at = 4 + 232 * slider.value / STEPS, line = chart.querySelector(".here");
      line.setAttribute("x1", at); line.setAttribute("x2", at);
    }
    said.textContent = `${text}.`;
    slider.setAttribute("aria-valuetext", text);
  };
  slider.addEventListener("input", () => { set(); act.changed(); });
  set();
}

function search(act) {
  const field = document.getElementById("search"), found = document.getElementById("found"), hits = document.getElementById("hits");
  field.addEventListener("input", () => {
    const words = field.value.trim().toLowerCase(), things = [];
    let total = 0;
    const keep = (text, thing) => { if (text.toLowerCase().includes(words) && ++total && things.length < 40) things.push([text, thing]); };
    if (words) {
      about.modules.forEach((module, m) => keep(module.name, { module: m }));
      about.labels.forEach((label, i) => keep(label, { neuron: i }));
    }
    hits.replaceChildren(...things.map(([text, thing]) => goTo(text, "", thing, act)));
    found.textContent = !words ? "" : `${total.toLocaleString("en")} found${total > things.length ? `, the first ${things.length} listed` : ""}`;
  });
}

function goTo(text, more, thing, act) {
  const li = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  button.innerHTML = `${escaped(text)}<span>${escaped(more)}</span>`;
  button.addEventListener("click", () => act.select(thing));
  li.append(button);
  return li;
}

function selection(net, links, act) {
  const place = document.getElementById("chosen");
  const heading = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const list = (title, entries) => {
    const ul = document.createElement("ul");
    ul.append(...entries.map(([text, more, thing]) => goTo(text, more, thing, act)));
    return entries.length ? [heading("h3", title), ul] : [];
  };
  const ends = (edges, end) => [...edges.subarray(0, 12)].map(edge => [about.labels[net[end][edge]], short(net.weight[edge]), { neuron: net[end][edge] }]);
  const more = edges => edges.length > 12 ? `, the strongest 12 of ${edges.length.toLocaleString("en")}` : "";
  const ofNeuron = i => {
    const read = links.read(i), sent = links.sent(i), effect = net.effect && net.effect[i] >= 0 ? ` Ablation effect: ${short(net.effect[i])} deviations of the outputs.` : "";
    return [heading("h2", about.labels[i]), heading("p", `Layer ${about.groups[net.group[i]]}, ${about.modules[net.module[i]].name}.${effect}`),
      ...list(`Reads${more(read)}`, ends(read, "source")), ...list(`Is read by${more(sent)}`, ends(sent, "target"))];
  };
  const ofModule = m => {
    const module = about.modules[m], layers = new Map();
    for (let i = 0; i < net.module.length; i++) if (net.module[i] === m) layers.set(net.group[i], (layers.get(net.group[i]) || 0) + 1);
    const toggle = Object.assign(heading("button", act.isOpen(m) ? "Close this module" : "Open this module"), { type: "button" });
    toggle.addEventListener("click", () => { act.open(m, !act.isOpen(m)); act.select({ module: m }); });
    return [heading("h2", module.name), heading("p", module.note), toggle,
      heading("p", `${counted(module.size, "neuron")}: ${[...layers].map(([group, many]) => `${about.groups[group]} ${many}`).join(", ")}.`)];
  };
  return thing => place.replaceChildren(...(!thing ? [] : thing.neuron === undefined ? ofModule(thing.module) : ofNeuron(thing.neuron)));
}
