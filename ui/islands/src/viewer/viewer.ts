import("./app");
