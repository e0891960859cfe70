import { bodyworn } from "./uk/bodyworn";
import { customs } from "./uk/customs";
import { desk } from "./uk/desk";
import { evidence } from "./uk/evidence";
import { plates } from "./uk/plates";
import { spine } from "./uk/spine";

export const uk = { ...spine, ...plates, ...desk, ...bodyworn, ...customs, ...evidence };
