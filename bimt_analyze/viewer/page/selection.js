// Search, and what is said of the module or neuron that is selected.
const FOUND = 40, STRONGEST = 12; // things that a search lists, and edges that are listed of a neuron

function goTo(text, more, thing, act) {
  const li = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  button.innerHTML = `${escaped(text)}<span>${escaped(more)}</span>`;
  button.addEventListener("click", () => act.select(thing));
  li.append(button);
  return li;
}

function search(act) {
  const field = document.getElementById("search"), hits = document.getElementById("hits");
  field.addEventListener("input", () => {
    const words = field.value.trim().toLowerCase(), things = [];
    let total = 0;
    const keep = (text, thing) => {
      if (words && text.toLowerCase().includes(words) && ++total <= FOUND) things.push([text, thing]);
    };
    about.modules.forEach((module, m) => keep(module.name, { module: m }));
    about.labels.forEach((label, i) => keep(label, { neuron: i }));
    hits.replaceChildren(...things.map(([text, thing]) => goTo(text, "", thing, act)));
    const rest = total > FOUND ? `, the first ${FOUND} listed` : "";
    document.getElementById("found").textContent = words ? `${total.toLocaleString("en")} found${rest}` : "";
  });
}

function selection(net, links, act) {
  const element = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const list = (title, edges, end) => {
    if (!edges.length) return [];
    const ul = document.createElement("ul");
    for (const edge of edges.subarray(0, STRONGEST)) {
      const neuron = net[end][edge];
      ul.append(goTo(about.labels[neuron], short(net.weight[edge]), { neuron }, act));
    }
    const of = edges.length > STRONGEST ? `, the strongest ${STRONGEST} of ${edges.length.toLocaleString("en")}` : "";
    return [element("h3", title + of), ul];
  };
  const ofNeuron = i => {
    const effect = net.effect && net.effect[i] >= 0
      ? ` Ablation effect: ${short(net.effect[i])} deviations of the outputs.` : "";
    return [element("h2", about.labels[i]),
      element("p", `Layer ${about.groups[net.group[i]]}, ${about.modules[net.module[i]].name}.${effect}`),
      ...list("Reads", links.read(i), "source"), ...list("Is read by", links.sent(i), "target")];
  };
  const ties = m => { // the weights of all edges between a module and each other, added up
    const sums = new Map();
    for (let edge = 0; edge < net.weight.length; edge++) {
      const a = net.module[net.source[edge]], b = net.module[net.target[edge]];
      if (a === b || (a !== m && b !== m)) continue;
      const other = a === m ? b : a;
      sums.set(other, (sums.get(other) || 0) + Math.abs(net.weight[edge]));
    }
    return [...sums].sort(([, one], [, other]) => other - one).slice(0, STRONGEST);
  };
  const ofModule = m => {
    const layers = new Map();
    net.module.forEach((own, i) => {
      if (own === m) layers.set(net.group[i], (layers.get(net.group[i]) || 0) + 1);
    });
    const toggle = element("button", act.isOpen(m) ? "Close this module" : "Open this module");
    toggle.type = "button";
    toggle.addEventListener("click", () => { act.open(m, !act.isOpen(m)); act.select({ module: m }); });
    const { name, note, size } = about.modules[m];
    const parts = [...layers].map(([group, many]) => `${about.groups[group]} ${many}`).join(", ");
    const others = document.createElement("ul");
    others.append(...ties(m).map(([other, sum]) => goTo(about.modules[other].name, short(sum), { module: other }, act)));
    return [element("h2", name), element("p", note), toggle, element("p", `${counted(size, "neuron")}: ${parts}.`),
      ...(others.firstChild ? [element("h3", "Edges to and from other modules, added up"), others] : [])];
  };
  return thing => document.getElementById("chosen").replaceChildren(
    ...(!thing ? [] : thing.neuron === undefined ? ofModule(thing.module) : ofNeuron(thing.neuron)));
}
