// Parses flowcharts with Mermaid itself. Each argument is a file; exits with 1 if any is refused, and says why.
// MERMAID_TOOLS names the folder that has Mermaid and jsdom in its node_modules.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const tools = process.env.MERMAID_TOOLS;
const require = createRequire(path.join(tools, 'package.json'));
const { JSDOM } = require('jsdom');
// Mermaid cleans labels with a library that wants a document.
const page = new JSDOM('<!doctype html><body></body>');
globalThis.window = page.window;
globalThis.document = page.window.document;

const own = path.join(tools, 'node_modules/mermaid/dist/mermaid.core.mjs');
const { default: mermaid } = await import(pathToFileURL(own).href);
mermaid.initialize({ startOnLoad: false, securityLevel: 'strict' });

let refused = false;
for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, 'utf8');
  try {
    const { diagramType } = await mermaid.parse(text);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    const labels = [...db.getVertices().values()].map((vertex) => vertex.text ?? '');
    const edges = db.getEdges().length;
    console.log(JSON.stringify({ file, diagramType, nodes: labels.length, edges, labels }));
  } catch (error) {
    refused = true;
    console.error(`${file}: ${error.message ?? error}`);
  }
}
process.exit(refused ? 1 : 0);
