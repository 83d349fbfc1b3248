// Says so when the line is gone.
const bar = document.querySelector("[data-offline]");
const show = () => bar && (bar.hidden = navigator.onLine);
addEventListener("online", show);
addEventListener("offline", show);
show();
