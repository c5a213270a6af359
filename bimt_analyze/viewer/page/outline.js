// The outline: modules, their layers, and neurons, as a tree for the keyboard that drives the picture.
const MOST_LISTED = 300; // neurons of a layer that are listed; the search finds the others

function outline(net, act) {
  const tree = document.getElementById("outline"), members = about.modules.map(() => new Map());
  about.labels.forEach((_, i) => {
    const layers = members[net.module[i]];
    if (!layers.has(net.group[i])) layers.set(net.group[i], []);
    layers.get(net.group[i]).push(i);
  });
  const items = new Map();

  function item(key, name, more, level, { colour = "", children = null, thing = null } = {}) {
    const li = document.createElement("li");
    li.setAttribute("role", "treeitem");
    li.setAttribute("aria-level", level);
    li.setAttribute("aria-label", more ? `${name}, ${more}` : name);
    li.setAttribute("aria-selected", "false");
    li.tabIndex = -1;
    const dot = colour ? `<span class="dot" style="background:${colour}"></span>` : "";
    li.innerHTML = `<span class="name">${dot}<span>${escaped(name)}</span><small>${escaped(more)}</small></span>`;
    if (children) li.setAttribute("aria-expanded", "false");
    Object.assign(li, { children_: children, thing });
    items.set(key, li);
    return li;
  }
  const neuron = i => {
    const effect = net.effect && net.effect[i] >= 0 ? `effect ${short(net.effect[i])}` : "";
    return item(`n${i}`, about.labels[i], effect, 3, { thing: { neuron: i } });
  };
  const neurons = (m, group, own) => {
    const listed = own.slice(0, MOST_LISTED).map(neuron), left = own.length - listed.length;
    if (left) listed.push(item(`more${m}.${group}`, `${left} more: search for them`, "", 3));
    return listed;
  };
  const layer = (m, group, own) => item(`l${m}.${group}`, about.groups[group], counted(own.length, "neuron"), 2,
    { children: () => neurons(m, group, own) });
  about.modules.forEach(({ name, note, size, colour }, m) => {
    tree.append(item(`m${m}`, name, note || counted(size, "neuron"), 1, {
      colour: colour || "var(--muted)", thing: { module: m },
      children: () => [...members[m]].map(([group, own]) => layer(m, group, own)),
    }));
  });
  if (tree.firstChild) tree.firstChild.tabIndex = 0;

  function unfold(li, wide) {
    if (!li?.children_ || li.getAttribute("aria-expanded") === String(wide)) return;
    li.setAttribute("aria-expanded", wide);
    if (!wide) return li.querySelector("[role=group]").hidden = true;
    let group = li.querySelector("[role=group]");
    if (!group) {
      group = document.createElement("ul");
      group.setAttribute("role", "group");
      group.append(...li.children_());
      li.append(group);
    }
    group.hidden = false;
  }
  function show(li, wide) {
    unfold(li, wide);
    if (li.thing?.module !== undefined) act.open(li.thing.module, wide);
  }
  function focus(li) {
    if (!li) return;
    tree.querySelectorAll('[tabindex="0"]').forEach(one => { one.tabIndex = -1; });
    li.tabIndex = 0;
    li.focus();
    li.scrollIntoView({ block: "nearest" });
  }
  const visible = () => [...tree.querySelectorAll("[role=treeitem]")].filter(li => !li.parentElement.closest("[hidden]"));
  tree.addEventListener("keydown", event => {
    const li = event.target.closest("[role=treeitem]"), wide = li.getAttribute("aria-expanded");
    const all = visible(), at = all.indexOf(li);
    const choose = () => li.thing ? act.select(li.thing) : show(li, wide === "false");
    const keys = {
      ArrowDown: () => focus(all[at + 1]), ArrowUp: () => focus(all[at - 1]),
      Home: () => focus(all[0]), End: () => focus(all.at(-1)),
      ArrowRight: () => wide === "false" ? show(li, true) : focus(wide && all[at + 1]),
      ArrowLeft: () => wide === "true" ? show(li, false) : focus(li.parentElement.closest("[role=treeitem]")),
      Enter: choose, " ": choose,
    };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
  tree.addEventListener("click", event => {
    const li = event.target.closest("[role=treeitem]");
    if (!li) return;
    focus(li);
    const onTriangle = event.clientX - li.firstElementChild.getBoundingClientRect().left < 24;
    if (li.children_ && (!li.thing || onTriangle)) show(li, li.getAttribute("aria-expanded") === "false");
    else if (li.thing) act.select(li.thing);
  });
  tree.addEventListener("dblclick", event => {
    const li = event.target.closest("[role=treeitem]");
    if (li?.thing?.module !== undefined) show(li, li.getAttribute("aria-expanded") === "false");
  });
  return {
    // What was opened or selected elsewhere is so here.
    opened: (m, wide) => unfold(items.get(`m${m}`), wide),
    selected: thing => {
      tree.querySelectorAll("[aria-selected=true]").forEach(li => li.setAttribute("aria-selected", "false"));
      if (!thing) return;
      const m = net.module[thing.neuron];
      if (m !== undefined && items.get(`m${m}`).getAttribute("aria-expanded") === "true")
        unfold(items.get(`l${m}.${net.group[thing.neuron]}`), true);
      const li = items.get(thing.neuron === undefined ? `m${thing.module}` : `n${thing.neuron}`);
      li?.setAttribute("aria-selected", "true");
      if (li && !li.parentElement.closest("[hidden]")) li.scrollIntoView({ block: "nearest" });
    },
  };
}
