// Facts about the add-in's modules: each runs, and the outcome of all is printed as JSON for the test in Python. An argument
// names the only one to run.

const facts = [];

export function fact(name, run) {
  facts.push([name, run]);
}

export async function report() {
  const outcome = {};
  const only = process.argv[2];
  for (const [name, run] of facts.filter(([name]) => !only || name === only)) {
    try {
      await run();
      outcome[name] = null;
    } catch (error) {
      outcome[name] = String(error?.stack ?? error);
    }
  }
  process.stdout.write(JSON.stringify(outcome));
}
