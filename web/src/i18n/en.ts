import { bodyworn } from "./en/bodyworn";
import { customs } from "./en/customs";
import { desk } from "./en/desk";
import { evidence } from "./en/evidence";
import { plates } from "./en/plates";
import { spine } from "./en/spine";
import { watch } from "./en/watch";

export const en = { ...spine, ...watch, ...plates, ...desk, ...bodyworn, ...customs, ...evidence };
