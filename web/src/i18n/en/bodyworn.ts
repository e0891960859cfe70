export const bodyworn = {};
