export const customs = {};
