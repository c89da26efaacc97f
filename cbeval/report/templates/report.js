// The page's behaviour. Answers are model output, thus hostile: they reach the page through textContent alone.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const LETTERS = { C: "complied", P: "partial", R: "refused", B: "broken", U: "unjudged" };

  // ---- theme -------------------------------------------------------------------------------------------------
  const root = document.documentElement;
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);
  const themeButton = $("theme");
  const showTheme = () => {
    themeButton.setAttribute("aria-pressed", String(isDark()));
    themeButton.textContent = isDark() ? "Light" : "Dark";
  };
  themeButton.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    showTheme();
  });
  systemDark.addEventListener("change", showTheme);
  showTheme();

  // ---- where the reader is -------------------------------------------------------------------------------------
  const links = new Map([...document.querySelectorAll(".topbar nav a")].map((a) => [a.hash.slice(1), a]));
  const seen = new IntersectionObserver(
    (entries) => {
      const top = entries.find((entry) => entry.isIntersecting);
      if (!top) return;
      for (const [id, link] of links) {
        if (id === top.target.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
    { rootMargin: "-15% 0px -70% 0px" },
  );
  for (const id of links.keys()) if ($(id)) seen.observe($(id));

  const shut = [];
  addEventListener("beforeprint", () => {
    for (const d of document.querySelectorAll("details:not([open])")) {
      d.open = true;
      shut.push(d);
    }
  });
  addEventListener("afterprint", () => {
    for (const d of shut.splice(0)) d.open = false;
  });

  // ---- answers -------------------------------------------------------------------------------------------------
  const store = $("explorer-data");
  if (!store) return;
  const head = JSON.parse(store.textContent);
  const opened = new Map();

  // A block is base64 of zlib-compressed JSON; it is read when its rows are first shown or searched.
  const readBlock = (id) => {
    if (!opened.has(id)) {
      opened.set(
        id,
        (async () => {
          const bytes = Uint8Array.from(atob($(id).textContent.trim()), (c) => c.charCodeAt(0));
          const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
          return JSON.parse(await new Response(plain).text());
        })(),
      );
    }
    return opened.get(id);
  };
  const row = async (blocks, index) => (await readBlock(blocks[Math.floor(index / head.block)]))[index % head.block];

  const field = {
    run: $("f-run"), suite: $("f-suite"), attack: $("f-attack"), part: $("f-part"), kind: $("f-kind"),
    category: $("f-category"), base: $("f-base"), other: $("f-other"), changed: $("f-changed"), text: $("f-text"),
  };
  const KEYS = ["suite", "attack", "part", "kind", "category"]; // the order within a key
  const state = { page: 0, matches: [], revealed: new Set(), all: false, turn: 0 };
  const shownRuns = () => {
    const chosen = field.run ? Number(field.run.value) : head.other;
    return head.base === null ? [chosen] : [head.base, chosen];
  };
  const outcome = (run, index) => head.runs[run].outcomes[index];

  const passes = (index) => {
    const key = head.keys[index];
    const runs = shownRuns();
    const last = runs[runs.length - 1];
    if (outcome(last, index) === "-" && (runs.length === 1 || outcome(runs[0], index) === "-")) return false;
    for (const [place, name] of KEYS.entries()) {
      if (field[name] && field[name].value && field[name].value !== String(key[place])) return false;
    }
    if (field.base && field.base.value && field.base.value !== outcome(runs[0], index)) return false;
    if (field.other.value && field.other.value !== outcome(last, index)) return false;
    if (field.changed && field.changed.checked && outcome(runs[0], index) === outcome(last, index)) return false;
    return true;
  };

  const contains = async (index, needle) => {
    const one = await row(head.cases, index);
    if ((one.prompt + "\n" + one.id).toLowerCase().includes(needle)) return true;
    for (const run of shownRuns()) {
      if (outcome(run, index) === "-") continue;
      const answer = await row(head.runs[run].blocks, index);
      if (answer && answer.text.toLowerCase().includes(needle)) return true;
    }
    return false;
  };

  const element = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const chip = (letter) => {
    const node = element("span", `chip o-${LETTERS[letter] || "unjudged"}`);
    const sign = element("b", "", letter);
    sign.setAttribute("aria-hidden", "true");
    node.append(sign, LETTERS[letter] || "no verdict");
    return node;
  };

  const answerText = (answer) => {
    const box = document.createDocumentFragment();
    const text = element("pre", "", answer.text || "(empty answer)");
    text.dir = "auto";
    text.tabIndex = 0;
    box.append(text);
    if (answer.cut) {
      const told = `Shown: the first ${answer.text.length.toLocaleString("en")} of ${answer.cut.toLocaleString("en")} characters.`;
      box.append(element("p", "meta", told));
    }
    return box;
  };

  const side = async (run, index, one) => {
    const box = element("section", "side");
    const title = element("h4");
    title.append(element("span", "name", head.runs[run].name));
    box.append(title);
    const letter = outcome(run, index);
    if (letter === "-") {
      box.append(element("p", "muted", "This run has no answer to this prompt."));
      return box;
    }
    title.append(chip(letter));
    const answer = await row(head.runs[run].blocks, index);
    if (one.prefill) box.append(element("p", "prefill", `Prefilled: ${one.prefill} …`));
    const key = `${run}/${index}`;
    if (!one.harmful || state.all || state.revealed.has(key)) {
      box.append(answerText(answer));
    } else {
      const veil = element("div", "veil");
      const size = answer.cut || answer.text.length;
      veil.append(element("span", "", `Hidden answer · ${size.toLocaleString("en")} characters`));
      const button = element("button", "button reveal", "Reveal");
      button.type = "button";
      button.setAttribute("aria-label", `Reveal the answer of ${head.runs[run].name} to ${one.id}`);
      button.addEventListener("click", () => {
        state.revealed.add(key);
        const text = answerText(answer);
        const first = text.firstChild;
        veil.replaceWith(text);
        first.focus();
      });
      veil.append(button);
      box.append(veil);
    }
    const facts = [answer.probability, answer.length, answer.reason, answer.evidence && `evidence: ${answer.evidence}`];
    const told = facts.filter(Boolean).join(" · ");
    if (told) box.append(element("p", "meta", told));
    return box;
  };

  const card = async (index) => {
    const one = await row(head.cases, index);
    const [, , part, , category] = head.keys[index]; // suite and attack are in the id
    const node = element("article", "answer");
    const top = element("header");
    const tags = element("div", "tags");
    tags.append(element("span", "id", one.id));
    for (const tag of [head.parts[part], head.categories[category], one.harmful ? "harmful" : "benign"]) {
      if (tag) tags.append(element("span", "tag", tag));
    }
    const prompt = element("p", "prompt", one.prompt);
    prompt.dir = "auto";
    top.append(tags, prompt);
    const sides = element("div", "sides");
    for (const run of shownRuns()) sides.append(await side(run, index, one));
    node.append(top, sides);
    node.setAttribute("aria-label", one.id);
    return node;
  };

  const show = async () => {
    const turn = ++state.turn;
    const pages = Math.max(1, Math.ceil(state.matches.length / head.page));
    state.page = Math.min(state.page, pages - 1);
    const cards = [];
    for (const index of state.matches.slice(state.page * head.page, (state.page + 1) * head.page)) cards.push(await card(index));
    if (turn !== state.turn) return;
    $("answers-list").replaceChildren(...(cards.length ? cards : [element("p", "none", "No answer matches these filters.")]));
    const n = state.matches.length;
    $("count").textContent = `${n.toLocaleString("en")} of ${head.keys.length.toLocaleString("en")} prompts`;
    for (const which of ["top", "end"]) {
      $(`page-${which}`).textContent = `Page ${state.page + 1} of ${pages}`;
      $(`prev-${which}`).disabled = state.page === 0;
      $(`next-${which}`).disabled = state.page >= pages - 1;
    }
    $("answers-list").setAttribute("aria-busy", "false");
  };

  const filter = async () => {
    const turn = ++state.turn;
    const needle = field.text.value.trim().toLowerCase();
    let found = [...head.keys.keys()].filter(passes);
    if (needle) {
      $("count").textContent = "Searching…";
      $("answers-list").setAttribute("aria-busy", "true");
      const kept = [];
      for (const index of found) {
        if (await contains(index, needle)) kept.push(index);
        if (turn !== state.turn) return;
      }
      found = kept;
    }
    state.matches = found;
    state.page = 0;
    await show();
  };

  const failed = (error) => {
    $("count").textContent = `The answers cannot be read here: ${error.message}. A browser of 2023 or newer is needed.`;
  };
  const go = (work) => () => work().catch(failed);

  let typing = 0;
  for (const [name, input] of Object.entries(field)) {
    if (!input) continue;
    if (name === "text") {
      input.addEventListener("input", () => {
        clearTimeout(typing);
        typing = setTimeout(go(filter), 200);
      });
    } else input.addEventListener("change", go(filter));
  }
  $("filters").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    go(filter)();
  });
  $("filters").addEventListener("reset", () => setTimeout(go(filter), 0));
  const turnPage = (by, which) => {
    state.page += by;
    show()
      .then(() => {
        if (which === "end") $("answers").scrollIntoView();
      })
      .catch(failed);
  };
  for (const which of ["top", "end"]) {
    $(`prev-${which}`).addEventListener("click", () => turnPage(-1, which));
    $(`next-${which}`).addEventListener("click", () => turnPage(1, which));
  }

  const dialog = $("confirm-reveal");
  $("reveal-all").addEventListener("click", () => {
    if (state.all) {
      state.all = false;
      state.revealed.clear();
      $("reveal-all").textContent = "Reveal all…";
      go(show)();
    } else dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "reveal") return;
    dialog.returnValue = "";
    state.all = true;
    $("reveal-all").textContent = "Hide all";
    go(show)();
  });

  // Cells of the flow tables lead to their answers.
  for (const cell of document.querySelectorAll("button.cell")) {
    cell.addEventListener("click", () => {
      $("filters").reset();
      for (const name of ["run", "suite", "attack", "part", "kind", "base", "other"]) {
        if (field[name] && cell.dataset[name] !== undefined) field[name].value = cell.dataset[name];
      }
      go(filter)();
      $("answers").scrollIntoView();
      $("answers-title").focus({ preventScroll: true });
    });
  }

  go(filter)();
})();
