/* The promised time in the visitor's own zone; what was typed is sent, so its draft may go. */
dropDraft(document.querySelector("[data-form]").dataset.form);
for (const time of document.querySelectorAll("time[datetime]")) {
  time.textContent = timeInWords(time.dateTime, document.documentElement.lang);
}
