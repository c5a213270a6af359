// The numbers of the page as typed arrays, and what is looked up in them.
const about = JSON.parse(document.getElementById("about").textContent);

async function unpack() {
  const text = document.getElementById("numbers").textContent, letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const content = await new Response(stream).arrayBuffer(), net = {};
  const kinds = { Float32Array, Int32Array, Uint16Array, Uint32Array };
  for (const { name, kind, offset, length } of about.arrays) net[name] = new kinds[kind](content, offset, length);
  return net;
}

// The edges of each neuron, strongest first: those that it reads, and those that read it. A film changes them.
function neighbours(net) {
  const byEnd = ends => {
    const first = new Uint32Array(about.labels.length + 1), edges = new Uint32Array(ends.length);
    for (const end of ends) first[end + 1]++;
    for (let i = 1; i < first.length; i++) first[i] += first[i - 1];
    const next = first.slice();
    ends.forEach((end, edge) => { edges[next[end]++] = edge; });
    return neuron => edges.subarray(first[neuron], first[neuron + 1]);
  };
  let known = {};
  const now = () => {
    if (known.of !== net.source) known = { of: net.source, read: byEnd(net.target), sent: byEnd(net.source) };
    return known;
  };
  return { read: neuron => now().read(neuron), sent: neuron => now().sent(neuron) };
}

// How strongly closed modules are joined: the weights of all edges between two, added up, as a share of the greatest
// sum between or inside modules.
function bundles(net, closed, shown) {
  const sums = new Map(), many = about.modules.length;
  for (let edge = 0; edge < shown; edge++) {
    const a = net.source[edge], b = net.target[edge];
    if (!closed[a] && !closed[b]) continue;
    const pair = net.module[a] * many + net.module[b];
    sums.set(pair, (sums.get(pair) || 0) + Math.abs(net.weight[edge]));
  }
  const top = [...sums.values()].reduce((a, b) => Math.max(a, b), 0), shut = new Uint8Array(many);
  closed.forEach((one, i) => { if (one) shut[net.module[i]] = 1; });
  return [...sums].map(([pair, sum]) => ({ from: Math.floor(pair / many), to: pair % many, share: sum / top }))
    .filter(({ from, to }) => from !== to && shut[from] && shut[to])
    .sort((one, other) => other.share - one.share).slice(0, 2000);
}

const counted = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
const short = number => Number(number.toPrecision(3)).toString();
