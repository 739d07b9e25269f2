import { createContext, useContext } from "react";
import type { Json, Schema } from "@/api/types";

export interface FormContext {
  root: Schema;
  /** What is wrong with the field at this dotted path, or below it. */
  errorAt: (path: string) => string | undefined;
  onBlur: (path: string) => void;
}

export const Form = createContext<FormContext>({ root: {}, errorAt: () => undefined, onBlur: () => {} });
export const useForm = (): FormContext => useContext(Form);

export interface FieldProps<T extends Json = Json> {
  /** Dotted path below the params, such as `models.0.name`. */
  path: string;
  schema: Schema;
  title: string;
  value: T | undefined;
  onChange: (value: T | null) => void;
  isRequired: boolean;
  isNullable: boolean;
}
