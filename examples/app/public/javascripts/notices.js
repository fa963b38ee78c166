// What the page tells the user beside the log.
const $ = (id) => document.getElementById(id);
const noticeTime = 10_000;
let timer = 0;

// showOutcome says how a connection ended.
export function showOutcome(bad, title, text, causes = []) {
  const heading = document.createElement("strong");
  heading.textContent = title;
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  const list = document.createElement("ul");
  for (const cause of causes) {
    const item = document.createElement("li");
    item.textContent = cause;
    list.append(item);
  }
  $("outcome").replaceChildren(heading, paragraph, ...(causes.length ? [list] : []));
  $("outcome").classList.toggle("bad", bad);
  $("outcome").hidden = false;
}

// showError says, and marks, what is wrong with the field, and moves the focus to it.
export function showError(field, text) {
  const section = field.closest("details");
  if (section) section.open = true;
  field.ariaInvalid = "true";
  $(field.getAttribute("aria-describedby")).textContent = text;
  field.focus();
}

export function clearErrors() {
  for (const field of document.querySelectorAll("input[aria-describedby]")) {
    field.ariaInvalid = null;
    $(field.getAttribute("aria-describedby")).textContent = "";
  }
}

// showSending says what becomes of a file or message. Good news leaves after a while.
export function showSending(text, isError = false) {
  clearTimeout(timer);
  $("sending").textContent = text;
  $("sending").classList.toggle("error", isError);
  if (text && !isError) timer = setTimeout(showSending, noticeTime, "");
}
