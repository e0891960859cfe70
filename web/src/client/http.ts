// The way to the server: session and purpose go along, errors come back as texts a person can act on.
import { t } from "../i18n/index.svelte";

export class ServerError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly details: Record<string, string | number> = {},
  ) {
    super(code);
  }

  /** What to tell a person. */
  get text(): string {
    const key = `error.${this.code}`;
    const told = t(key, this.details);
    return told === key ? `${this.code}` : told;
  }
}

export const wire = { csrf: "", purpose: "" };

let onSignedOut: () => void = () => undefined;

export function whenSignedOut(then: () => void): void {
  onSignedOut = then;
}

let onPurposeOver: (purpose: string) => void = () => undefined;

/** `then` hears which purpose the server says is over. */
export function whenPurposeOver(then: (purpose: string) => void): void {
  onPurposeOver = then;
}

/** Somebody was told, on another way than a request, that a purpose is over. */
export function purposeOver(purpose: string): void {
  onPurposeOver(purpose);
}

export interface Ask {
  method?: string;
  body?: unknown;
  raw?: BodyInit;
  signal?: AbortSignal;
}

export async function send(path: string, ask: Ask = {}): Promise<Response> {
  const headers: Record<string, string> = {};
  const { purpose } = wire;
  if (purpose) headers["X-Svidok-Purpose"] = purpose;
  if (wire.csrf) headers["X-Svidok-CSRF"] = wire.csrf;
  if (ask.body !== undefined) headers["Content-Type"] = "application/json";
  if (ask.raw !== undefined) headers["Content-Type"] = "text/csv";
  const request: RequestInit = { method: ask.method ?? "GET", headers };
  if (ask.body !== undefined) request.body = JSON.stringify(ask.body);
  if (ask.raw !== undefined) request.body = ask.raw;
  if (ask.signal) request.signal = ask.signal;
  let response: Response;
  try {
    response = await fetch(path, request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ServerError(0, "network");
  }
  if (response.ok) return response;
  const error = await asError(response);
  if (error.code === "purpose-over") onPurposeOver(purpose);
  throw error;
}

async function asError(response: Response): Promise<ServerError> {
  let code = `http-${response.status}`;
  let details: Record<string, string | number> = {};
  try {
    const body = (await response.json()) as { code?: string; details?: Record<string, string | number> };
    code = body.code ?? code;
    details = body.details ?? {};
  } catch {
    code = response.status >= 500 ? "internal" : code;
  }
  if (code === "not-signed-in") onSignedOut();
  return new ServerError(response.status, code, details);
}

export async function ask<T>(path: string, how: Ask = {}): Promise<T> {
  return (await (await send(path, how)).json()) as T;
}

export function textOf(error: unknown): string {
  return error instanceof ServerError ? error.text : String(error);
}

/** `path?name=value…` without what is missing. */
export function withQuery(path: string, query: Record<string, string | number | null | undefined>): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") parts.set(name, String(value));
  }
  const text = parts.toString();
  return text ? `${path}?${text}` : path;
}
