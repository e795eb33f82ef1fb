/** People as they stand in a field: "Name <address>", addresses, or names of the directory, separated by semicolons. */

const PART = /(?:"[^"]*"|<[^<>]*>|[^;,\r\n"<])+/g;
const NAMED = /^(?:"([^"]*)"|([^"<>]*))\s*<\s*([^<>\s]+)\s*>$/;

/** Who is named: [people, parts that name nobody yet]. `directory` maps lower-case addresses to names. */
export function readPeople(text, directory) {
  const people = [], others = [];
  for (const part of (text.match(PART) ?? []).map((one) => one.trim()).filter(Boolean)) {
    const named = NAMED.exec(part);
    const address = named ? named[3] : part;
    const known = directory.get(address.toLowerCase());
    if (address.includes("@")) people.push({ name: (named?.[1] ?? named?.[2] ?? "").trim() || known || address, address });
    else {
      const found = [...directory].filter(([, name]) => name.toLowerCase() === part.toLowerCase());
      if (found.length === 1) people.push({ name: found[0][1], address: found[0][0] });
      else others.push(part);
    }
  }
  return [people, others];
}

/** The way back. Those whom the directory knows, and whose name is nothing but their address, stand by their address. */
export function writtenPeople(people, others, directory) {
  const parts = people.map(({ name, address }) => {
    const plain = !name || name === address || /["<>;,]/.test(name) || directory.has(address.toLowerCase());
    return plain ? address : `${name} <${address}>`;
  });
  return [...parts, ...others].join("; ");
}
