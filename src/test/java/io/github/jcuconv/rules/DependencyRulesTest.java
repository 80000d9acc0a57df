package io.github.jcuconv.rules;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.GeneralCodingRules;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may know whom: the arrows of the design's layer picture. */
class DependencyRulesTest {
    private static final String ROOT = "io.github.jcuconv";
    private static final String[] ENGINES = {"reference..", "cuda..", "cudnn..", "onednn..", "emulated.."};

    private static JavaClasses production;

    @BeforeAll
    static void importProduction() {
        production = new ClassFileImporter().importPath(SourceTree.mainClasses());
    }

    @ParameterizedTest(name = "{0} knows only {1}")
    @CsvSource({
        "op,       root op",
        "spi,      root op spi internal",
        "memory,   root op memory",
        "nn,       root op memory nn",
        "models,   root op nn models",
        "data,     root data",
        "report,   root op memory nn data report",
    })
    void package_knows_only(String name, String allowed) {
        String[] packages = Stream.concat(
                        Stream.of("java..", "javax..", "org.jspecify.."),
                        Arrays.stream(allowed.split(" ")).map(DependencyRulesTest::inRoot))
                .toArray(String[]::new);
        check(classes()
                .that()
                .resideInAPackage(ROOT + "." + name + "..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(packages));
    }

    @ParameterizedTest(name = "{1} is touched by {0} only")
    @CsvSource({
        "cli,      picocli..",
        "io,       com.google.gson..",
        "onednn,   org.bytedeco..",
    })
    void optional_library_is_touched_by_one_package(String name, String library) {
        check(noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + "." + name + "..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(library));
    }

    @Test
    void jcuda_is_touched_by_the_two_gpu_engines_only() {
        check(noClasses()
                .that()
                .resideOutsideOfPackages(ROOT + ".cuda..", ROOT + ".cudnn..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jcuda.."));
    }

    @ParameterizedTest(name = "engine {0} knows neither another engine nor what is above it")
    @CsvSource({"reference", "cuda", "cudnn", "onednn", "emulated"})
    void engine_stands_alone(String engine) {
        String[] forbidden = Stream.concat(
                        Stream.of(ENGINES).filter(other -> !other.equals(engine + "..")),
                        Stream.of("memory..", "nn..", "models..", "data..", "io..", "examples..", "cli.."))
                .map(other -> ROOT + "." + other)
                .toArray(String[]::new);
        check(noClasses()
                .that()
                .resideInAPackage(ROOT + "." + engine + "..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(forbidden));
    }

    @Test
    void nothing_depends_on_the_command_line() {
        check(noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + ".cli..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(ROOT + ".cli.."));
    }

    @Test
    void only_the_command_line_prints() {
        check(noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + ".cli..")
                .should(GeneralCodingRules.ACCESS_STANDARD_STREAMS));
    }

    @Test
    void only_the_main_class_exits() {
        check(noClasses()
                .that()
                .doNotHaveFullyQualifiedName(ROOT + ".cli.Main")
                .should()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .callMethod(Runtime.class, "exit", int.class)
                .orShould()
                .callMethod(Runtime.class, "halt", int.class));
    }

    @Test
    void no_unseeded_randomness() {
        check(noClasses()
                .should()
                .callMethod(Math.class, "random")
                .orShould()
                .callConstructor(java.util.Random.class)
                .orShould()
                .dependOnClassesThat()
                .belongToAnyOf(java.util.concurrent.ThreadLocalRandom.class, java.security.SecureRandom.class));
    }

    private static String inRoot(String name) {
        return name.equals("root") ? ROOT : ROOT + "." + name + "..";
    }

    private static void check(ArchRule rule) {
        rule.allowEmptyShould(true).check(production);
    }
}
