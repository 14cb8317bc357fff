// The schemas under ajv, in its strict mode: `validate.mjs FOLDER` reads vectors and says which it accepts.
// In: JSON Lines {name, checks: [{schema, instance}]}. Out: JSON Lines {name, accepted, errors}.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const [folder] = process.argv.slice(2);
const refuse = (message) => { throw new Error(message); };
const logger = { log: console.error, warn: refuse, error: refuse };
const ajv = addFormats(new Ajv2020({ strict: true, allErrors: true, logger }));
const schemas = {};
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  schemas[file.slice(0, -5)] = ajv.compile(JSON.parse(readFileSync(join(folder, file), "utf8")));
}

for await (const line of createInterface({ input: process.stdin })) {
  const { name, checks } = JSON.parse(line);
  const errors = [];
  for (const { schema, instance } of checks) {
    if (!schemas[schema](instance)) errors.push(...schemas[schema].errors.map((one) => `${one.instancePath} ${one.message}`));
  }
  console.log(JSON.stringify({ name, accepted: errors.length === 0, errors }));
}
