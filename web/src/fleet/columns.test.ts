import { describe, expect, it } from "vitest";
import { moved, sensible, USUAL } from "./columns";

describe("the columns of the fleet's table", () => {
  it("are the usual ones where nothing sensible was kept", () => {
    for (const kept of [null, undefined, "number", {}, [], ["password"]]) expect(sensible(kept)).toEqual(USUAL);
  });
  it("keep their order, once each, with the way to the camera", () => {
    expect(sensible(["seen", "number", "seen", "gone"])).toEqual(["seen", "number"]);
    expect(sensible(["seen"])).toEqual(["number", "seen"]);
  });
  it("move by one and stop at the ends", () => {
    expect(moved(["number", "name", "state"], 2, -1)).toEqual(["number", "state", "name"]);
    expect(moved(["number", "name"], 0, -1)).toEqual(["number", "name"]);
    expect(moved(["number", "name"], 1, 1)).toEqual(["number", "name"]);
  });
});
