// As much of MicrosoftAjax.js as Office.js touches while it looks after an Outlook add-in. Written for these tests.
(() => {
  const nothing = () => undefined;
  window.Type = Function;
  Type.registerNamespace = (name) => name.split(".").reduce((holder, part) => (holder[part] ??= {}), window);
  for (const register of ["registerClass", "registerInterface", "registerEnum"]) {
    Type[register] = nothing;
    Type.prototype[register] = nothing;
  }
  Function._validateParams = () => null;
  Function.createDelegate = (instance, method) => (...given) => method.apply(instance, given);
  Function.createCallback = (method, context) => (...given) => method(...given, context);
  class StringBuilder {
    #parts = [];
    append(text) {
      this.#parts.push(text);
      return this;
    }
    toString() { return this.#parts.join(""); }
  }
  const errors = ["argument", "argumentNull", "argumentOutOfRange", "argumentType", "argumentUndefined", "format", "invalidOperation",
    "notImplemented", "parameterCount"];
  for (const kind of errors) Error[kind] = (name, message) => new Error(`Sys.${kind}: ${name ?? ""} ${message ?? ""}`);
  Error.create = (message) => new Error(message);
  String.format = (pattern, ...given) => pattern.replace(/\{(\d+)\}/g, (_, at) => given[at]);
  window.Sys = {
    StringBuilder,
    Serialization: { JavaScriptSerializer: { serialize: JSON.stringify, deserialize: JSON.parse } },
    Browser: { agent: "Chromium", InternetExplorer: "InternetExplorer" },
    Debug: { trace: nothing },
  };
})();
