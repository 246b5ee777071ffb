/** Any JSON value, as `JSON.parse` makes it. */
export type Json = null | boolean | number | string | Json[] | { [member: string]: Json };
