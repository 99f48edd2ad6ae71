// Reads drawings as their own readers do: a flowchart (.mmd) with Mermaid, an SVG with a strict XML parser.
// The first argument is the folder whose node_modules has both; the others are files. Prints a JSON object a file.
// Exits with 1 if any is refused, and says why.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [tools, ...files] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(tools), 'package.json'));
const { JSDOM } = require('jsdom');

// Mermaid cleans labels with a library that wants a document.
const page = new JSDOM('<!doctype html><body></body>');
globalThis.window = page.window;
globalThis.document = page.window.document;
const own = path.resolve(tools, 'node_modules/mermaid/dist/mermaid.core.mjs');
const { default: mermaid } = await import(pathToFileURL(own).href);
mermaid.initialize({ startOnLoad: false, securityLevel: 'strict' });

// What Mermaid puts for `#35;` and `#quot;` until it draws.
const NAMED = { quot: '"', amp: '&', lt: '<', gt: '>' };
function shown(label) {
  return label
    .replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/ﬂ°(\w+)¶ß/g, (_, name) => NAMED[name] ?? name);
}

async function flowchart(text) {
  const { diagramType } = await mermaid.parse(text);
  const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
  const labels = [...db.getVertices().values()].map((vertex) => shown(vertex.text ?? ''));
  const boxes = db.getSubGraphs().map((box) => shown(box.title));
  return { diagramType, labels, boxes, edges: db.getEdges().length };
}

function svg(text) {
  const { document } = new JSDOM(text, { contentType: 'image/svg+xml' }).window;
  const root = document.documentElement;
  const of = (name) => [...document.getElementsByTagName(name)].map((element) => element.textContent);
  return { root: root.localName, namespace: root.namespaceURI, texts: of('text'), titles: of('title') };
}

let refused = false;
for (const file of files) {
  const text = readFileSync(file, 'utf8');
  try {
    console.log(JSON.stringify(file.endsWith('.svg') ? svg(text) : await flowchart(text)));
  } catch (error) {
    refused = true;
    console.error(`${file}: ${error.message ?? error}`);
  }
}
process.exit(refused ? 1 : 0);
