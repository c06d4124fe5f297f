@echo off
rem Runs the command of this checkout by the Node that it pins; sets the checkout up first if need be.
setlocal
set "root=%~dp0.."
set "node=%root%\node_modules\node\bin\node.exe"
if not exist "%node%" (
  where node >nul 2>nul || (
    echo quiver: there is no Node: install Node 20 or newer ^(https://nodejs.org^), then try again. 1>&2
    exit /b 1
  )
  node "%root%\scripts\set-up.mjs" || exit /b 1
)
if not defined NODE_COMPILE_CACHE set "NODE_COMPILE_CACHE=%root%\node_modules\.cache\node"
"%node%" --require "%root%\scripts\set-up.mjs" "%root%\src\cli\main.ts" %*
