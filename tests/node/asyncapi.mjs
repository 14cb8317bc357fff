// AsyncAPI's official parser: reads documents, one a line, and says what it finds in each.
import { createInterface } from "node:readline";
import { Parser } from "@asyncapi/parser";

const parser = new Parser();
for await (const line of createInterface({ input: process.stdin })) {
  const { document, diagnostics } = await parser.parse(line);
  const found = diagnostics.map(({ code, severity, path, message }) => ({ code, severity, at: path.join("."), message }));
  const channels = document ? document.channels().all().map((channel) => channel.address()) : [];
  console.log(JSON.stringify({ parsed: document !== undefined, diagnostics: found, channels }));
}
