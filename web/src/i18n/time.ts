// Instants come as UTC and are shown in the viewer's zone, with the zone named where it could be mistaken.

const OLD_NAMES: Record<string, string> = { "Europe/Kiev": "Europe/Kyiv" };
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;

export const zone = OLD_NAMES[own] ?? own;

const forms = new Map<string, Intl.DateTimeFormat>();

function form(language: string, options: Intl.DateTimeFormatOptions, timeZone: string): Intl.DateTimeFormat {
  const key = `${language}${JSON.stringify(options)}${timeZone}`;
  let found = forms.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(language === "uk" ? "uk-UA" : "en-GB", { ...options, timeZone });
    forms.set(key, found);
  }
  return found;
}

export function clock(at: Date, language: string, timeZone = zone): string {
  return form(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" }, timeZone).format(at);
}

export function hourMinute(at: Date, language: string, timeZone = zone): string {
  return form(language, { hour: "2-digit", minute: "2-digit" }, timeZone).format(at);
}

export function day(at: Date, language: string, timeZone = zone): string {
  return form(language, { day: "numeric", month: "short", year: "numeric" }, timeZone).format(at);
}

export function full(at: Date, language: string, timeZone = zone): string {
  const options: Intl.DateTimeFormatOptions = {
    day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
    timeZoneName: "short",
  };
  return form(language, options, timeZone).format(at);
}

/** As `full`, to the millisecond: a single picture. */
export function exact(at: Date, language: string, timeZone = zone): string {
  const options: Intl.DateTimeFormatOptions = {
    day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
    fractionalSecondDigits: 3, timeZoneName: "short",
  };
  return form(language, options, timeZone).format(at);
}

/** A length of time in words of clocks: 1:02:03, 2:03, 0:07. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = String(seconds % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let power = 0;
  while (count >= 1024 && power < units.length - 1) {
    count /= 1024;
    power += 1;
  }
  return `${count < 10 && power ? count.toFixed(1) : Math.round(count)} ${units[power]}`;
}
