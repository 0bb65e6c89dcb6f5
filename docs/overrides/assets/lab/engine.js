// All of the engine: what tests reach under globalThis.cnnvizLab.

export * from "./network.js";
export * from "./kernel.js";
export * from "./forward.js";
export * from "./trace.js";
export * from "./gradient.js";
export * from "./contribution.js";
export * from "./centring.js";
export * from "./picture.js";
