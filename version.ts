/**
 * The version of this release, by Semantic Versioning: the service, MCP, OpenAPI, the client and the command all say it.
 * The two manifests of the client's package repeat it; a test compares them. `RELEASE` in db/release.ts is another
 * number: it says which releases may share a room.
 */
export const VERSION = "2.0.0";
