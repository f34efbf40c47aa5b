// Who is buying. Analytics gets the customer number, never the e-mail address.

const NUMBERS = "pebble.customers";
const CURRENT = "pebble.customer";

/** The customer number of whoever signed in here, or null. */
export function currentCustomer() {
  return localStorage.getItem(CURRENT);
}

/** Signs in: finds or gives the number that belongs to the e-mail address, and tells Shoptrail. */
export function signIn(email) {
  const number = numberOf(email.trim().toLowerCase());
  localStorage.setItem(CURRENT, number);
  identifyCustomer();
  window.shoptrail("login", { properties: { method: "email" } });
  return number;
}

/** Signs out. */
export function signOut() {
  localStorage.removeItem(CURRENT);
  window.shoptrail("identify", { user_id: null });
}

/** Tells Shoptrail who is signed in; the tag forgets it with each page. */
export function identifyCustomer() {
  const number = currentCustomer();
  if (number) window.shoptrail("identify", { user_id: number });
}

function numberOf(email) {
  const numbers = readNumbers();
  numbers[email] ??= newNumber();
  localStorage.setItem(NUMBERS, JSON.stringify(numbers));
  return numbers[email];
}

function readNumbers() {
  try {
    return Object.assign(Object.create(null), JSON.parse(localStorage.getItem(NUMBERS)));
  } catch {
    return Object.create(null);
  }
}

function newNumber() {
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  return `C-${String(random % 100_000_000).padStart(8, "0")}`;
}
