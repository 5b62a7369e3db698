// What the SDK tells an application that sends events: node inngest_send.mjs PACKAGE < {"base":..., "key":..., "events":[...]}
import { readFileSync } from "node:fs";

const { Inngest } = await import(process.argv[2]);
const { base, key, events } = JSON.parse(readFileSync(0, "utf8"));
const client = new Inngest({ id: "crm", eventKey: key, baseUrl: base, isDev: false });
try {
  console.log(JSON.stringify(await client.send(events)));
} catch (error) {
  console.log(JSON.stringify({ error: error.message }));
}
