// Puts the parts of the page together.
unpack().then(net => {
  const state = { open: new Set(), selected: null, colour: "module", shown: net.weight.length, touched: false };
  const links = neighbours(net);
  const act = {
    changed: () => picture.changed(),
    renewed: () => { cut(); tell(state.selected); picture.renewed(); },
    isOpen: m => state.open.has(m),
    open: (m, wide) => {
      if (wide === state.open.has(m)) return;
      state.open[wide ? "add" : "delete"](m);
      tree.opened(m, wide);
      picture.changed();
    },
    select: thing => {
      if (thing?.neuron !== undefined) act.open(net.module[thing.neuron], true);
      state.selected = thing;
      tree.selected(thing);
      tell(thing);
      picture.soon();
    },
  };
  const tell = selection(net, links, act), tree = outline(net, act), picture = scene(net, state, links);
  const { canvas } = picture, on = (id, event, done) => document.getElementById(id).addEventListener(event, done);
  canvas.setAttribute("aria-label", about.words);
  const cut = threshold(net, state, act);
  search(act);

  const recolour = () => { document.getElementById("legend").innerHTML = legend(state, net); };
  on("colour", "change", event => { state.colour = event.target.value; recolour(); picture.changed(); });
  recolour();
  const all = wide => about.modules.forEach((_, m) => act.open(m, wide));
  on("open-all", "click", () => all(true));
  on("close-all", "click", () => all(false));
  on("nearer", "click", () => picture.zoom(1.4));
  on("farther", "click", () => picture.zoom(1 / 1.4));
  on("front", "click", picture.front);

  let turns = about.planar;
  const button = document.getElementById("turns"), press = () => button.setAttribute("aria-pressed", turns);
  on("turns", "click", () => { turns = !turns; press(); });
  press();
  pointer(net, state, act, picture, () => turns);
  canvas.addEventListener("keydown", event => {
    const step = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key];
    const nearer = () => picture.zoom(1.25), move = () => picture.pan(...step);
    const turn = () => picture.turn(-step[0] / 4, -step[1] / 4);
    const keys = { "+": nearer, "=": nearer, "-": () => picture.zoom(0.8), 0: picture.front,
      Escape: () => act.select(null) };
    const done = step ? (event.shiftKey ? turn : move) : keys[event.key];
    if (done && !event.ctrlKey && !event.metaKey) { event.preventDefault(); state.touched = true; done(); }
  });
  if (about.film.length) all(true);
  film(net, act);
  picture.changed();
});
