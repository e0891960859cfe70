// Pages by address: /live, /cameras/<id>, with a query. The browser's own history does the rest.

interface Place {
  path: string;
  query: URLSearchParams;
}

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

const state = $state<{ place: Place }>({ place: { path: "/", query: new URLSearchParams() } });

if (typeof window !== "undefined") {
  state.place = here();
  addEventListener("popstate", () => (state.place = here()));
  addEventListener("click", (event) => {
    const link = (event.target as Element | null)?.closest?.("a[href^='/']");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || link.hasAttribute("download")) return;
    const address = link.getAttribute("href") ?? "/";
    if (address.startsWith("/api") || address.startsWith("/ledger/")) return;
    event.preventDefault();
    go(address);
  });
}

export function place(): Place {
  return state.place;
}

export function go(address: string): void {
  if (address !== location.pathname + location.search) history.pushState(null, "", address);
  state.place = here();
}

/** Change the query without a step in the history. */
export function setQuery(values: Record<string, string | null>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
  state.place = here();
}
