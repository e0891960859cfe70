// Passkeys in the browser's terms (W3C WebAuthn): the server's JSON made into buffers, and the device's answer into JSON.
import { ask } from "../client/http";
import type { Session } from "../client/types";

interface Named { id: string; type: "public-key" }
interface Options {
  challenge: string;
  user?: { id: string; name: string; displayName: string };
  excludeCredentials?: Named[];
  allowCredentials?: Named[];
}

/** The person closed the device's dialogue, or it took too long: nothing to complain about. */
export class Dismissed extends Error {}

export function offered(): boolean {
  return typeof PublicKeyCredential !== "undefined" && isSecureContext;
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (one) => one.charCodeAt(0));
}

export function textOfBytes(bytes: ArrayBuffer): string {
  const plain = Array.from(new Uint8Array(bytes), (one) => String.fromCharCode(one)).join("");
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function opened<T extends Options>(options: T): unknown {
  const named = (list: Named[] | undefined) => (list ?? []).map((one) => ({ ...one, id: bytesOf(one.id) }));
  return {
    ...options,
    challenge: bytesOf(options.challenge),
    ...(options.user ? { user: { ...options.user, id: bytesOf(options.user.id) }, excludeCredentials: named(options.excludeCredentials) } : {}),
    ...(options.allowCredentials ? { allowCredentials: named(options.allowCredentials) } : {}),
  };
}

async function device(work: Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const made = await work;
    if (made) return made as PublicKeyCredential;
  } catch (error) {
    if (!(error instanceof DOMException) || !["NotAllowedError", "AbortError"].includes(error.name)) throw error;
  }
  throw new Dismissed();
}

function told(credential: PublicKeyCredential, response: Record<string, ArrayBuffer | null>): Record<string, unknown> {
  const parts = Object.entries(response).filter((part): part is [string, ArrayBuffer] => part[1] !== null);
  return {
    id: credential.id,
    rawId: textOfBytes(credential.rawId),
    type: credential.type,
    response: Object.fromEntries(parts.map(([name, bytes]) => [name, textOfBytes(bytes)])),
  };
}

export async function addPasskey(label: string): Promise<void> {
  const options = await ask<Options>("/api/passkeys/register/options", { method: "POST", body: {} });
  const publicKey = opened(options) as PublicKeyCredentialCreationOptions;
  const made = await device(navigator.credentials.create({ publicKey }));
  const { clientDataJSON, attestationObject } = made.response as AuthenticatorAttestationResponse;
  const body = { credential: told(made, { clientDataJSON, attestationObject }), label };
  await ask("/api/passkeys/register/finish", { method: "POST", body });
}

export async function enterByPasskey(): Promise<Session> {
  const options = await ask<Options>("/api/passkeys/sign-in/options", { method: "POST", body: {} });
  const publicKey = opened(options) as PublicKeyCredentialRequestOptions;
  const answer = await device(navigator.credentials.get({ publicKey }));
  const { clientDataJSON, authenticatorData, signature, userHandle } = answer.response as AuthenticatorAssertionResponse;
  const body = { credential: told(answer, { clientDataJSON, authenticatorData, signature, userHandle }) };
  return await ask<Session>("/api/passkeys/sign-in/finish", { method: "POST", body });
}
