import { bodyworn } from "./uk/bodyworn";
import { customs } from "./uk/customs";
import { desk } from "./uk/desk";
import { evidence } from "./uk/evidence";
import { plates } from "./uk/plates";
import { spine } from "./uk/spine";
import { watch } from "./uk/watch";

export const uk = { ...spine, ...watch, ...plates, ...desk, ...bodyworn, ...customs, ...evidence };
