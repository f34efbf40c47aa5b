// An empty page: what the calls themselves and the browser cost.

import { ready } from "./ready.js";

window.send = () => {};
ready();
