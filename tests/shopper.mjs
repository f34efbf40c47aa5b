// A person in the demo shop, in words. Everything is done as a person would: by looking, clicking and typing.

import { until } from "./until.mjs";

const DELIVERY = { street: "Kiesweg 7", "postal-code": "10115", city: "Berlin" };

/** Somebody with a browser of their own. */
export class Shopper {
  #context;
  #page;
  #shop;

  /** Comes to the shop by an address below its root, and accepts the cookies. */
  static async arrive(browser, shop, path = "/") {
    const shopper = new Shopper();
    shopper.#context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      locale: "de-DE",
    });
    shopper.#shop = shop;
    await shopper.comeBack(path);
    await shopper.#click("consent-accept");
    await shopper.#page.getByTestId("consent-banner").waitFor({ state: "hidden" });
    return shopper;
  }

  /** Opens the shop in a new tab. */
  async comeBack(path = "/") {
    this.#page = await this.#context.newPage();
    // People look as soon as there is something to see; the tag may still be on its way.
    await this.#page.goto(new URL(path, this.#shop).href, { waitUntil: "domcontentloaded" });
    await this.#page.getByTestId("product-card").first().waitFor();
  }

  /** Goes elsewhere and closes the tab. */
  async leave() {
    await this.#page.goto("about:blank");
    await this.#page.close();
  }

  /** Chooses a category. */
  async browse(category) {
    await this.#page.getByTestId("category-link").filter({ hasText: category }).click();
    await this.#page
      .locator('[data-testid="category-link"][aria-current="page"]')
      .filter({ hasText: category })
      .waitFor();
  }

  /** Types into the search field and looks at the results. */
  async search(term) {
    await this.#page.getByTestId("search-input").fill(term);
    await this.#click("search-submit");
    await this.#page.getByTestId("search-summary").filter({ hasText: term }).waitFor();
  }

  /** Clicks on a product in the list. */
  async lookAt(id) {
    await this.#page.locator(`[data-testid="product-card"][data-item-id="${id}"]`).first().click();
    await this.#page.waitForURL(`**/product/${id}`);
    await this.#page.getByTestId("add-to-cart").waitFor();
  }

  /** Puts some of the product that is open into the cart. */
  async addToCart(quantity) {
    await this.#page.getByTestId("quantity").fill(String(quantity));
    await this.#click("add-to-cart");
    await this.#page.getByTestId("added").waitFor();
  }

  /** How many things are in the cart. */
  async inCart() {
    return Number(await this.#page.getByTestId("cart-count").textContent());
  }

  /** Goes from the cart through the checkout up to the button that places the order. */
  async checkOut({ email, shipping, payment }) {
    await this.#click("cart-link");
    await this.#click("checkout-link");
    await this.#fill({ email, name: "Ada Kiesel" });
    await this.#click("continue-contact");
    await this.#fill(DELIVERY);
    await this.#page.getByTestId(`shipping-${shipping}`).check();
    await this.#click("continue-shipping");
    await this.#page.getByTestId(`payment-${payment}`).check();
    await this.#click("continue-payment");
  }

  /** Places the order, and reads the receipt: `{number, paid}`. */
  async placeOrder() {
    await this.#click("place-order");
    const text = (id) => this.#page.getByTestId(id).textContent();
    return { number: await text("order-number"), paid: await text("paid-total") };
  }

  /** The customer number that the shop gave. */
  customerNumber() {
    return this.#page.evaluate(() => localStorage.getItem("pebble.customer"));
  }

  /** The id under which the tracker knows this browser. */
  async anonymousId() {
    const cookie = async () => (await this.#context.cookies()).find(({ name }) => name === "st_id");
    return (await until("the tracker keeps its id", cookie, 20)).value;
  }

  async #fill(fields) {
    for (const [id, value] of Object.entries(fields)) await this.#page.getByTestId(id).fill(value);
  }

  #click(id) {
    return this.#page.getByTestId(id).click();
  }
}
