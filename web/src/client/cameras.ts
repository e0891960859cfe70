// Cameras by their ids, and a few to begin with; the fleet is never loaded whole.
import { ask, withQuery } from "./http";
import type { Camera, Page } from "./types";

const AT_ONCE = 100; // ids in one request

/** The cameras with these ids that there (still) are. */
export async function camerasOf(ids: string[]): Promise<Camera[]> {
  const wanted = [...new Set(ids)];
  const found: Camera[] = [];
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const some = wanted.slice(at, at + AT_ONCE);
    found.push(...(await ask<Page<Camera>>(withQuery("/api/cameras", { ids: some.join(","), limit: AT_ONCE }))).items);
  }
  return found;
}

/** The first `most` cameras that send pictures. */
export async function firstCameras(most: number): Promise<Camera[]> {
  const page = await ask<Page<Camera>>(withQuery("/api/cameras", { limit: 200 }));
  return page.items.filter(sends).slice(0, most);
}

/** Whether a camera has any stream at all. */
export function sends(camera: Camera): boolean {
  return (camera.channels[0]?.streams.length ?? 0) > 0;
}
