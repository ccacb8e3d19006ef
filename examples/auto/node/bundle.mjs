// Joins the modules in src/ into dist/bundle.js:
//     cachex run --auto -- node bundle.mjs

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";

const names = readdirSync("src").sort();
const parts = names.map((name) => `// ${name}\n${readFileSync(`src/${name}`, "utf8")}`);
mkdirSync("dist", { recursive: true });
writeFileSync("dist/bundle.js", parts.join("\n"));
console.log(`${names.length} modules`);
