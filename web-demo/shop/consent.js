// The privacy banner. Until the visitor chooses, the tag counts without storing anything (data-consent="cookieless");
// "accept" lets it keep an id, "only necessary" switches it off.

const KEY = "pebble.consent";
const CHOICES = {
  all: { analytics: true, ads: true },
  necessary: { analytics: false, ads: false },
};

/** Shows the banner until a choice is made, and again when the visitor asks for it. */
export function wireConsent() {
  const banner = document.getElementById("consent");
  const stored = localStorage.getItem(KEY);
  if (Object.hasOwn(CHOICES, stored ?? "")) window.shoptrail("consent", CHOICES[stored]);
  else banner.hidden = false;

  /** @type {NodeListOf<HTMLElement>} */
  const buttons = banner.querySelectorAll("[data-consent]");
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const choice = button.dataset.consent;
      localStorage.setItem(KEY, choice);
      window.shoptrail("consent", CHOICES[choice]);
      banner.hidden = true;
    });
  }
  document.getElementById("privacy").addEventListener("click", () => {
    banner.hidden = false;
    banner.querySelector("button").focus();
  });
}
