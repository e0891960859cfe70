// The shapes of the server's answers, out of its own description of its routes: src/client/schema.ts, which is made and
// not kept. So a page that expects what the server does not say fails the check, here and in CI.
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import openapi, { astToString } from "openapi-typescript";

const environment = new URL("../../.venv/bin/python", import.meta.url);
const python = existsSync(environment) ? environment.pathname : "python3";
const source = new URL("../../src", import.meta.url).pathname;
const told = execFileSync(python, ["-W", "ignore", "-m", "svidok.api.description"], {
  env: { ...process.env, PYTHONPATH: source }, maxBuffer: 64 * 1024 * 1024, encoding: "utf8",
});
const shapes = astToString(await openapi(JSON.parse(told)));
writeFileSync(new URL("../src/client/schema.ts", import.meta.url), shapes);
