/* The clock of the speaker's notes: runs since the page was opened; a click sets it back. */
(() => {
  const clock = document.getElementById("clock");
  let begun = Date.now();
  const show = () => {
    const seconds = Math.floor((Date.now() - begun) / 1000);
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };
  clock.addEventListener("click", () => {
    begun = Date.now();
    show();
  });
  setInterval(show, 1000);
})();
