// What stands before the dashboard's JSON, so that TypeScript compares it with Grafana's own schema.
import type { Dashboard } from "@grafana/schema";

// JSON has the values of enumerations, not their names.
type InJson<T> = T extends string
  ? `${T}`
  : T extends (infer Item)[]
    ? InJson<Item>[]
    : T extends object
      ? { [Name in keyof T]: InJson<T[Name]> }
      : T;

export const dashboard: InJson<Dashboard> =
