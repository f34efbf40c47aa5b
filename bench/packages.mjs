// Packages that one benchmark alone needs: installed below `target/`, of the versions in its `package-lock.json`.

import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../", import.meta.url);

/** Installs the packages of the benchmark in the folder `here`, nothing twice; resolves to their `node_modules`. */
export async function installPackages(here) {
  const name = here.pathname.split("/").at(-2);
  const out = new URL(`target/bench/${name}/`, ROOT);
  const lock = await readFile(new URL("package-lock.json", here), "utf8");
  const stamp = new URL("installed", out);
  if ((await readFile(stamp, "utf8").catch(() => "")) !== lock) {
    await mkdir(out, { recursive: true });
    await copyFile(new URL("package.json", here), new URL("package.json", out));
    await copyFile(new URL("package-lock.json", here), new URL("package-lock.json", out));
    await copyFile(new URL(".npmrc", ROOT), new URL(".npmrc", out));
    execFileSync("npm", ["ci", "--silent"], {
      cwd: fileURLToPath(out),
      stdio: ["ignore", "ignore", "inherit"],
    });
    await writeFile(stamp, lock);
  }
  return new URL("node_modules/", out);
}
