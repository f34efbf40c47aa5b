// The npm package as it would be published, in a shop's node_modules.

import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("../npm", import.meta.url));

/** Packs the package and unpacks it where the programs in the folder `shop` find it; resolves to that place. */
export async function unpackFor(shop) {
  const packed = await mkdtemp(join(tmpdir(), "shoptrail-pack-"));
  const unpacked = join(shop, "node_modules/shoptrail-tracker");
  try {
    execFileSync("npm", ["pack", "--silent", "--pack-destination", packed], { cwd: PACKAGE });
    const [tarball] = await readdir(packed);
    await rm(unpacked, { recursive: true, force: true });
    await mkdir(unpacked, { recursive: true });
    execFileSync("tar", ["-xzf", join(packed, tarball), "-C", unpacked, "--strip-components=1"]);
  } finally {
    await rm(packed, { recursive: true, force: true });
  }
  return unpacked;
}
