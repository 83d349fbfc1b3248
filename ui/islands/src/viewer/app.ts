import { init as coreInit, RenderingEngine } from "@cornerstonejs/core";
import * as tools from "@cornerstonejs/tools";
import * as loader from "@cornerstonejs/dicom-image-loader";
coreInit(); tools.init(); loader.init();
console.log(RenderingEngine, loader.wadors, tools.LengthTool, tools.ArrowAnnotateTool);
