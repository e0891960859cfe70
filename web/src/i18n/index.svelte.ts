// The two languages. Ukrainian is first and the default; every key stands in both files (a test holds that).
import { en } from "./en";
import { uk } from "./uk";

export type Language = "uk" | "en";
export type Key = keyof typeof uk;

const kept = typeof localStorage === "undefined" ? null : localStorage.getItem("language");
const state = $state<{ language: Language }>({ language: kept === "en" ? "en" : "uk" });

export function language(): Language {
  return state.language;
}

export function setLanguage(language: Language): void {
  state.language = language;
  localStorage.setItem("language", language);
  document.documentElement.lang = language;
}

/** The text of `key`, with `{name}` filled in from `values`. An unknown key is shown as it is. */
export function t(key: Key | string, values: Record<string, string | number> = {}): string {
  const texts: Record<string, string> = state.language === "uk" ? uk : en;
  return fill(texts[key] ?? key, values);
}

/** The text of `prefix.value`, or `value` itself where there is none. */
export function term(prefix: string, value: string): string {
  const texts: Record<string, string> = state.language === "uk" ? uk : en;
  return texts[`${prefix}.${value}`] ?? value;
}

export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Whichever of a thing's two names the viewer reads. */
export function named(thing: { name_uk: string; name_en: string }): string {
  return state.language === "uk" ? thing.name_uk : thing.name_en || thing.name_uk;
}
