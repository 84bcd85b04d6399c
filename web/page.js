// Says which issuer people sign in at.
const config = await (await fetch("config.json")).json();
document.getElementById("where").textContent = `Sign in at ${config.issuer}.`;
